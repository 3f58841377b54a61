"""The policy file (TOML), which the worker and the backtest share."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from flatline.domain.learned.hazard import Hazard, ModelError, load_model
from flatline.domain.policy.ignore import Ignore, Ignored
from flatline.domain.policy.policy import Policy
from flatline.domain.policy.thresholds import Thresholds
from flatline.errors import FlatlineError
from flatline.toml_file import TomlSource, parsed, text_of_file

# Keys by the names that they had while the silence score was called a probability.
_PRESENT_NAMES: Final = {
    "cooling_probability": "cooling_score",
    "silent_probability": "silent_score",
    "quality_gone_probability": "quality_gone_score",
    "thin_run_probability": "thin_run_score",
}


class PolicyError(FlatlineError):
    """The policy file can't be used. The message names it, the line, the key, its value, and what is allowed."""

    remedy = "`flatline policy show --default` prints every key; `flatline policy check FILE` checks a file."


class Model(Struct, frozen=True, forbid_unknown_fields=True):
    """The model of the probability that no link comes."""

    file: Annotated[
        str, Meta(description="Your own model, as a path relative to this file; empty: the built-in model.")
    ] = ""


class Removed(Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of articles that were removed."""

    links_bring_back: Annotated[
        bool,
        Meta(description="Whether a new link brings back an article that was removed, as a new registration does."),
    ] = False


class PolicyFile(Struct, frozen=True, forbid_unknown_fields=True):
    """The sections of the file. Those of ``tiers`` may have any key of ``judgement``."""

    judgement: Thresholds = Thresholds()
    tiers: dict[Literal["1", "2", "3"], dict[str, Any]] = {}
    ignore: Ignore = Ignore()
    removed: Removed = Removed()
    model: Model = Model()


def thresholds_in(file: PolicyFile, tier: int | None) -> Thresholds:
    """Return the thresholds for articles of a tier, by a file that was checked.

    Raises ValueError where those of the file are in the wrong order for those of the tier.
    """
    own = file.tiers.get(str(tier), {})  # type: ignore[call-overload] # a tier that is none has none
    return msgspec.convert({**msgspec.structs.asdict(file.judgement), **own}, Thresholds)


def load_policy(path: Path | None) -> Policy:
    """Read a policy file; None stands for the defaults. Raises PolicyError."""
    return Policy() if path is None else policy_of(_text(path), path=path)


def load_policy_file(path: Path | None) -> PolicyFile:
    """Read a policy file as it is written, with the defaults of what it leaves out. Raises PolicyError."""
    if path is None:
        return PolicyFile()
    text = _text(path)
    policy_of(text, path=path)  # the whole of it is checked, the model that it names included
    return msgspec.convert(_read(text, path), PolicyFile)


def lines_of_keys(path: Path) -> dict[tuple[str, ...], int | None]:
    """Return the line of each key that a policy file has, by its section and name; None where it can't be found.

    ``("tiers", "1", "silent_score")`` is a key of a tier. Raises PolicyError.
    """
    text = _text(path)
    raw = _read(text, path)
    source = _source(path, text, raw)
    sections: dict[tuple[str, ...], Any] = {(name,): keys for name, keys in raw.items() if name != "tiers"}
    sections |= {("tiers", tier): keys for tier, keys in raw.get("tiers", {}).items()}
    return {(*within, key): source.line_of((*within, key)) for within, keys in sections.items() for key in keys}


def _text(path: Path) -> str:
    return text_of_file(path, PolicyError, what="The policy file")


def policy_of(text: str, *, path: Path) -> Policy:
    """Return what the text of a policy file says; ``path`` is where it stands. Raises PolicyError."""
    raw = _read(text, path)
    source = _source(path, text, raw)
    file = source.convert(raw, PolicyFile)
    by_tier: dict[int | None, Thresholds] = {
        int(tier): source.convert({**raw.get("judgement", {}), **own}, Thresholds, within=("tiers", tier))
        for tier, own in file.tiers.items()
    }
    return Policy(
        file.judgement, by_tier, Ignored.by(file.ignore), _hazard(file.model, path), file.removed.links_bring_back
    )


def _source(path: Path, text: str, raw: Mapping[str, Any]) -> TomlSource:
    return TomlSource(
        path, text, raw, error=PolicyError, fields=_fields, present_names=_PRESENT_NAMES, explained=_explained
    )


def _read(text: str, path: Path) -> dict[str, Any]:
    """Return the file's sections, with the present names of keys. Raises PolicyError."""
    raw = parsed(text, path, PolicyError)
    tiers = raw.get("tiers")
    for section in (raw.get("judgement"), *(tiers.values() if isinstance(tiers, dict) else ())):
        if not isinstance(section, dict):
            continue
        for former in section.keys() & _PRESENT_NAMES.keys():
            present = _PRESENT_NAMES[former]
            if present in section:
                raise PolicyError(f"{path}: {former} is the former name of {present}. Keep one of them.")
            section[present] = section.pop(former)
    return raw


def _hazard(model: Model, path: Path) -> Hazard:
    if not model.file:
        return Hazard()
    try:
        return Hazard(load_model(path.parent / model.file))
    except ModelError as error:
        raise PolicyError(f"{path}: model.file is {model.file!r}: {error}") from None


def _explained(text: str) -> tuple[Sequence[str], str] | None:
    tier = re.fullmatch(r"Invalid enum value '(.*)'", text)
    return (("tiers", tier[1]), f"there is no tier {tier[1]!r}: they are 1, 2 and 3.") if tier else None


def _fields(keys: Sequence[str]) -> Iterator[str]:
    kinds: dict[str, type[Struct]] = {
        "judgement": Thresholds,
        "tiers": Thresholds,
        "ignore": Ignore,
        "removed": Removed,
        "model": Model,
    }
    yield from (kinds[keys[0]] if keys else PolicyFile).__struct_fields__
