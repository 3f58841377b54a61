"""Reads connectors.toml."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from flatline.domain.urls.canonical import InvalidUrl
from flatline.errors import FlatlineError
from flatline.schema.connector_record import ConnectorName
from flatline.toml_file import TomlSource, instead_of, parsed, text_of_file
from flatline_connectors.runtime.config import Budget, Secret
from flatline_connectors.runtime.connector import ConnectorKind
from flatline_connectors.runtime.section import Section
from flatline_connectors.sites import front_page

Kinds = Mapping[str, ConnectorKind[Any, Any]]

_NAME: Final = "lower-case letters, digits and hyphens, at most 64 of them, the first one no hyphen"


class ConnectorsFileError(FlatlineError):
    """connectors.toml can't be used. The message names the file, the line, the key, its value, and what is allowed."""

    remedy = "Correct the file; connectors/README.md shows each kind of connector with its keys."


def load_sections(path: Path, kinds: Kinds) -> list[Section]:
    """Return the connectors of a file, in its order. Raise `ConnectorsFileError`."""
    return sections_of(text_of_file(path, ConnectorsFileError, what="The file of connectors"), kinds, path=path)


def sections_of(text: str, kinds: Kinds, *, path: Path) -> list[Section]:
    """Return the connectors in the text of a file; ``path`` is where it stands. Raise `ConnectorsFileError`."""
    raw = parsed(text, path, ConnectorsFileError)

    def fields(keys: Sequence[str]) -> Iterable[str]:
        *_, last = keys
        if len(keys) == 1:
            return _keys_of(kinds[raw[keys[0]]["kind"]])
        return (Budget if last == "budget" else Secret).__struct_fields__

    source = TomlSource(path, text, raw, error=ConnectorsFileError, fields=fields)
    return [_section(name, said, kinds, source) for name, said in raw.items()]


def _section(name: str, said: Any, kinds: Kinds, source: TomlSource) -> Section:
    try:
        msgspec.convert(name, ConnectorName)
    except msgspec.ValidationError:
        raise source.refuse([name], f"{name!r} can't be the name of a connector: it takes {_NAME}.") from None
    if not isinstance(said, dict):
        raise source.refuse([name], f"{name} stands outside of a section. A connector begins with a line [NAME].")
    known = ", ".join(kinds)
    kind_name = said.get("kind")
    if kind_name is None:
        raise source.refuse([name], f"{name} has no key kind. There are: {known}.")
    kind = kinds.get(str(kind_name))
    if kind is None:
        instead = instead_of(str(kind_name), kinds)
        raise source.refuse([name, "kind"], f"{name}.kind is {kind_name!r}: there is no such kind. {instead}")
    _refuse_bare_secrets(name, said, kind, source)
    options = source.convert(said, kind.options, within=(name,))
    for site in options.sites:
        try:
            front_page(site)
        except InvalidUrl as error:
            raise source.refuse([name, "sites"], f"{name}.sites: {site!r} is no host: {error}.") from None
    return Section(name, options, kind)


def _refuse_bare_secrets(name: str, said: Mapping[str, Any], kind: ConnectorKind[Any, Any], source: TomlSource) -> None:
    """Raise for a secret that stands in the file itself. The message does not repeat it."""
    for field in msgspec.structs.fields(kind.options):
        if "Secret" in re.findall(r"\w+", str(field.type)) and isinstance(said.get(field.name), str):
            how = f'{field.name} = {{ file = "PATH" }}, or {{ env = "VARIABLE" }}'
            raise source.refuse([name, field.name], f"a secret does not belong into this file. Write {how}.")


def _keys_of(kind: ConnectorKind[Any, Any]) -> list[str]:
    return ["kind", *kind.options.__struct_fields__]
