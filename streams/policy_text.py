"""Writes a policy as a TOML file that explains itself, and says what a policy changes."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, get_type_hints

import msgspec
from msgspec import Struct

from flatline.policy_file import PolicyFile

_HEAD: Final = """\
# Flatline's policy. You can omit every key that you don't want to change.
# To try this file on known link events: `flatline backtest FILE... --policy THIS`.
# The worker reads the file that FLATLINE_POLICY_FILE names, when it starts.
"""
_TIERS: Final = """\
# Thresholds for the articles of one tier: any key of [judgement].
# [tiers.1]
# silent_score = 0.6
"""


_FROM_NO_FILE: Final = "# FLATLINE_POLICY_FILE names no file: all values are the defaults.\n"

Lines = Mapping[tuple[str, ...], int | None]
"""Of the keys that a policy file has, by section and name; None: somewhere in the file."""


def text_of(file: PolicyFile) -> str:
    """Return a policy as a file with all keys, each explained; what is not the default says what that is."""
    return _text_of(file, _HEAD, _Notes(None))


def text_with_origins(file: PolicyFile, path: Path | None, lines: Lines) -> str:
    """Return the same of a policy in force; each value says whether it is the default or from which line of the file.

    ``path``: of the file; None: there is none
    """
    if path is None:
        return _text_of(file, _HEAD + _FROM_NO_FILE, _Notes(None))
    head = f"# Values with a line number are from {_value(str(path))}; all others are the defaults.\n"
    return _text_of(file, _HEAD + head, _Notes(lines))


class _Notes:
    """What stands behind the values. ``lines``: None where they don't say where they are from."""

    def __init__(self, lines: Lines | None) -> None:
        self._lines = lines

    def of(self, keys: tuple[str, ...], value: object, default: object) -> str:
        """Return the comment behind a value."""
        notes = self._origin(keys)
        if value != default:
            notes.append(f"default: {_value(default)}")
        return f"  # {', '.join(notes)}" if notes else ""

    def of_tier(self, keys: tuple[str, ...]) -> str:
        """Return the comment behind a value of a tier, which has no default."""
        notes = self._origin(keys)
        return f"  # {', '.join(notes)}" if notes else ""

    def _origin(self, keys: tuple[str, ...]) -> list[str]:
        if self._lines is None:
            return []
        if keys not in self._lines:
            return ["default"]
        line = self._lines[keys]
        return ["in the file" if line is None else f"line {line}"]


def _text_of(file: PolicyFile, head: str, notes: _Notes) -> str:
    sections = {name: getattr(file, name) for name in PolicyFile.__struct_fields__ if name != "tiers"}
    model = sections.pop("model")
    tiers = "\n".join(_tier(tier, keys, notes) for tier, keys in file.tiers.items()) or _TIERS
    written = [_section(name, each, notes) for name, each in sections.items()]
    return "\n".join([head, *written, tiers, _section("model", model, notes)])


def changes(file: PolicyFile) -> Iterator[str]:
    """Yield what a policy says that is not the default: ``judgement.silent_score = 0.5 (default: 0.6)``."""
    for name in PolicyFile.__struct_fields__:
        if name != "tiers":
            section = getattr(file, name)
            for field, default in _defaults(type(section)):
                if (value := getattr(section, field)) != default:
                    yield f"{name}.{field} = {_value(value)} (default: {_value(default)})"
    for tier, keys in file.tiers.items():
        for field, value in keys.items():
            yield f"tiers.{tier}.{field} = {_value(value)}, others {_value(getattr(file.judgement, field))}"


def _section(name: str, section: Struct, notes: _Notes) -> str:
    hints = get_type_hints(type(section), include_extras=True)
    lines = [f"[{name}]"]
    for field, default in _defaults(type(section)):
        description = next(each.description for each in reversed(hints[field].__metadata__) if each.description)
        value = getattr(section, field)
        lines += [f"# {description}", f"{field} = {_value(value)}{notes.of((name, field), value, default)}"]
    return "\n".join([*lines, ""])


def _tier(tier: str, keys: dict[str, Any], notes: _Notes) -> str:
    values = (f"{field} = {_value(value)}{notes.of_tier(('tiers', tier, field))}" for field, value in keys.items())
    return "\n".join([f"[tiers.{tier}]", *values, ""])


def _defaults(kind: type[Struct]) -> Iterator[tuple[str, Any]]:
    for field in msgspec.structs.fields(kind):
        yield field.name, field.default if field.default is not msgspec.NODEFAULT else field.default_factory()


def _value(value: object) -> str:
    return msgspec.json.encode(value).decode()
