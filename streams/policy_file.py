"""The policy file (TOML), which the worker and the backtest share."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from flatline.domain.learned.hazard import Hazard, ModelError, load_model
from flatline.domain.policy.ignore import Ignore, Ignored
from flatline.domain.policy.policy import Policy
from flatline.domain.policy.thresholds import Thresholds
from flatline.errors import FlatlineError

T = TypeVar("T")

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


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise PolicyError(f"The policy file {path} can't be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise PolicyError(f"The policy file {path} can't be read: it is not UTF-8.") from None


def policy_of(text: str, *, path: Path) -> Policy:
    """Return what the text of a policy file says; ``path`` is where it stands. Raises PolicyError."""
    raw = _read(text, path)
    source = _Source(path, text, raw)
    file = source.convert(raw, PolicyFile)
    by_tier: dict[int | None, Thresholds] = {
        int(tier): source.convert({**raw.get("judgement", {}), **own}, Thresholds, within=("tiers", tier))
        for tier, own in file.tiers.items()
    }
    return Policy(
        file.judgement, by_tier, Ignored.by(file.ignore), _hazard(file.model, path), file.removed.links_bring_back
    )


def _read(text: str, path: Path) -> dict[str, Any]:
    """Return the file's sections, with the present names of keys. Raises PolicyError."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{path} is no TOML: {error}.") from None
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


class _Source:
    """The text that errors point into."""

    def __init__(self, path: Path, text: str, raw: dict[str, Any]) -> None:
        self._path = path
        self._lines = text.splitlines()
        self._raw = raw

    def convert(self, value: object, kind: type[T], *, within: Sequence[str] = ()) -> T:
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            text, _, place = str(error).partition(" - at `")
            keys = [*within, *re.findall(r"[\w-]+", place.partition("`")[0].removeprefix("key").replace("$", ""))]
            raise PolicyError(f"{self._path}{self._explained(text, keys)}") from None

    def _explained(self, text: str, keys: list[str]) -> str:
        """Return the line and what is wrong with it, for an error of msgspec's at a path of keys."""
        if unknown := re.fullmatch(r"Object contains unknown field `(.*)`", text):
            key = unknown[1]
            return f"{self._line([*keys, key])}: there is no {'.'.join([*keys, key])!r}. {_instead(key, keys)}"
        if tier := re.fullmatch(r"Invalid enum value '(.*)'", text):
            return f"{self._line(['tiers', tier[1]])}: there is no tier {tier[1]!r}: they are 1, 2 and 3."
        expected = re.sub(r"`(\w+)`", lambda kind: _WORDS.get(kind[1], kind[1]), text)
        expected = re.sub(r"(<=|>=|<|>) ([\d.]+)", lambda bound: f"{_BOUNDS[bound[1]]} {float(bound[2]):g}", expected)
        expected = expected.replace("Expected", "expected").replace(", got", ", not")
        value = self._value(keys)
        said = "" if isinstance(value, dict) or value is None else f" is {value!r}"
        return f"{self._line(keys)}: {'.'.join(keys)}{said}: {expected}."

    def _value(self, keys: Sequence[str]) -> object:
        value: Any = self._raw
        for key in keys:
            if isinstance(value, list) and key.isdecimal() and int(key) < len(value):
                value = value[int(key)]
            elif isinstance(value, dict):
                value = value.get(key)
            else:
                return None
        return value

    def _line(self, keys: Sequence[str]) -> str:
        """Return where the last of the keys that is in the text stands: ", line 3"; nothing if it can't be found."""
        section: list[str] = []
        found = None
        for number, line in enumerate(self._lines, start=1):
            if header := re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line):
                section = re.split(r"\s*\.\s*", header[1].replace('"', ""))
                here = section
            elif assigned := re.match(r"""\s*["']?([\w-]+)["']?\s*=""", line):
                here = [*section, _PRESENT_NAMES.get(assigned[1], assigned[1])]
            else:
                continue
            if here == list(keys[: len(here)]) and (found is None or len(here) > found[0]):
                found = len(here), number
        return f", line {found[1]}" if found else ""


_WORDS: Final = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "array": "a list",
    "object": "a section",
    "bool": "true or false",
}
_BOUNDS: Final = {"<=": "of at most", ">=": "of at least", "<": "below", ">": "above"}


def _instead(key: str, keys: Sequence[str]) -> str:
    known = list(_fields(keys))
    close = get_close_matches(key, known, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(known)}."


def _fields(keys: Sequence[str]) -> Iterator[str]:
    kinds: dict[str, type[Struct]] = {
        "judgement": Thresholds,
        "tiers": Thresholds,
        "ignore": Ignore,
        "removed": Removed,
        "model": Model,
    }
    yield from (kinds[keys[0]] if keys else PolicyFile).__struct_fields__
