"""A connector for one run, from keys that somebody typed, in place of a section of connectors.toml."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import xxhash

from flatline_connectors.runtime.config_file import ConnectorsFileError, Kinds, sections_of
from flatline_connectors.runtime.connector import ConnectorKind
from flatline_connectors.runtime.section import Section


def section_of(kind_name: str, keys: Sequence[tuple[str, str]], kinds: Kinds) -> Section:
    """Return a connector of this kind. A value is one of TOML, or else a text; a key that comes again makes a list.

    Its name tells it from others with other keys, so that each has a position of its own. Raise `ConnectorsFileError`.
    """
    kind = kinds.get(kind_name)
    if kind is None:
        raise ConnectorsFileError(f"There is no kind of connector {kind_name!r}. There are: {', '.join(kinds)}.")
    values: dict[str, list[str]] = {}
    for key, value in keys:
        values.setdefault(key, []).append(_as_toml(value))
    values.setdefault("source", [_text(kind_name)])
    lines = [f"{_text(key)} = {_joined(kind, key, given)}" for key, given in values.items()]
    name = f"{kind_name}-{xxhash.xxh3_64_hexdigest(chr(10).join(sorted(lines)).encode())[:8]}"
    text = "\n".join([f"[{name}]", f"kind = {_text(kind_name)}", *lines, ""])
    (section,) = sections_of(text, kinds, path=Path("--set"))
    return section


def _joined(kind: ConnectorKind[Any, Any], key: str, values: Sequence[str]) -> str:
    fields = msgspec.structs.fields(kind.options)
    lists = {field.name for field in fields if field.default_factory is list or isinstance(field.default, tuple)}
    is_one_list = len(values) == 1 and values[0].startswith("[")
    return f"[{', '.join(values)}]" if (key in lists or len(values) > 1) and not is_one_list else values[0]


def _as_toml(value: str) -> str:
    try:
        tomllib.loads(f"value = {value}")
    except tomllib.TOMLDecodeError:
        return _text(value)
    return value if "\n" not in value else _text(value)


def _text(value: str) -> str:
    """Return a text as TOML writes it, which is as JSON does."""
    return msgspec.json.encode(value).decode()
