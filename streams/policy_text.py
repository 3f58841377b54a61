"""Writes a policy as a TOML file that explains itself, and says what a policy changes."""

from collections.abc import Iterator
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


def text_of(file: PolicyFile) -> str:
    """Return a policy as a file with all keys, each explained; what is not the default says what that is."""
    sections = {name: getattr(file, name) for name in PolicyFile.__struct_fields__ if name != "tiers"}
    model = sections.pop("model")
    tiers = "\n".join(_tier(tier, keys) for tier, keys in file.tiers.items()) or _TIERS
    return "\n".join(
        [_HEAD, *(_section(name, each) for name, each in sections.items()), tiers, _section("model", model)]
    )


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


def _section(name: str, section: Struct) -> str:
    hints = get_type_hints(type(section), include_extras=True)
    lines = [f"[{name}]"]
    for field, default in _defaults(type(section)):
        description = next(each.description for each in reversed(hints[field].__metadata__) if each.description)
        value = getattr(section, field)
        note = "" if value == default else f"  # default: {_value(default)}"
        lines += [f"# {description}", f"{field} = {_value(value)}{note}"]
    return "\n".join([*lines, ""])


def _tier(tier: str, keys: dict[str, Any]) -> str:
    return "\n".join([f"[tiers.{tier}]", *(f"{field} = {_value(value)}" for field, value in keys.items()), ""])


def _defaults(kind: type[Struct]) -> Iterator[tuple[str, Any]]:
    for field in msgspec.structs.fields(kind):
        yield field.name, field.default if field.default is not msgspec.NODEFAULT else field.default_factory()


def _value(value: object) -> str:
    return msgspec.json.encode(value).decode()
