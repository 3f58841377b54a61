"""TOML files that people write, read into types, with errors that say where, what, and what instead."""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from flatline.errors import FlatlineError

T = TypeVar("T")

_NO_NAMES: Final[Mapping[str, str]] = {}


def text_of_file(path: Path, error: type[FlatlineError], *, what: str) -> str:
    """Return the text of a file; raise ``error``, which says what file that is: "The policy file"."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as cause:
        raise error(f"{what} {path} can't be read: {cause.strerror}.") from None
    except UnicodeDecodeError:
        raise error(f"{what} {path} can't be read: it is not UTF-8.") from None


def parsed(text: str, path: Path, error: type[FlatlineError]) -> dict[str, Any]:
    """Return what a TOML text says; raise ``error``."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as cause:
        raise error(f"{path} is no TOML: {cause}.") from None


class TomlSource:
    """The text that errors point into.

    ``fields``         the keys that may stand at a path of keys
    ``present_names``  keys by the names that they had before
    ``explained``      the path of keys and the sentence for an error of msgspec's, where there is a better one
    """

    def __init__(
        self,
        path: Path,
        text: str,
        raw: Mapping[str, Any],
        *,
        error: type[FlatlineError],
        fields: Callable[[Sequence[str]], Iterable[str]],
        present_names: Mapping[str, str] = _NO_NAMES,
        explained: Callable[[str], tuple[Sequence[str], str] | None] = lambda _text: None,
    ) -> None:
        self._path = path
        self._lines = text.splitlines()
        self._raw = raw
        self._error = error
        self._fields = fields
        self._present_names = present_names
        self._explained_by = explained

    def convert(self, value: object, kind: type[T], *, within: Sequence[str] = ()) -> T:
        """Return ``value``, which stands at the path ``within``, as a type; raise the error of this kind of file."""
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            text, _, place = str(error).partition(" - at `")
            keys = [*within, *re.findall(r"[\w-]+", place.partition("`")[0].removeprefix("key").replace("$", ""))]
            raise self._error(f"{self._path}{self._explained(text, keys)}") from None

    def refuse(self, keys: Sequence[str], why: str) -> FlatlineError:
        """Return the error for what stands at a path of keys."""
        return self._error(f"{self._path}{self._line(keys)}: {why}")

    def line_of(self, keys: Sequence[str]) -> int | None:
        """Return the number of the line on which a key stands; None where it can't be found, as in an inline table."""
        found = self._nearest(keys)
        return found[1] if found and found[0] == len(keys) else None

    def _explained(self, text: str, keys: list[str]) -> str:
        """Return the line and what is wrong with it, for an error of msgspec's at a path of keys."""
        if unknown := re.fullmatch(r"Object contains unknown field `(.*)`", text):
            key = unknown[1]
            return f"{self._line([*keys, key])}: there is no {'.'.join([*keys, key])!r}. {self._instead(key, keys)}"
        if missing := re.fullmatch(r"Object missing required field `(.*)`", text):
            return f"{self._line(keys)}: {'.'.join(keys)} has no key {missing[1]!r}, which it needs."
        if (better := self._explained_by(text)) is not None:
            return f"{self._line(better[0])}: {better[1]}"
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
        found = self._nearest(keys)
        return f", line {found[1]}" if found else ""

    def _nearest(self, keys: Sequence[str]) -> tuple[int, int] | None:
        """Return how many of the keys lead to a line, as many as can be found, and its number."""
        section: list[str] = []
        found = None
        for number, line in enumerate(self._lines, start=1):
            if header := re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line):
                section = re.split(r"\s*\.\s*", header[1].replace('"', ""))
                here = section
            elif assigned := re.match(r"""\s*["']?([\w-]+)["']?\s*=""", line):
                here = [*section, self._present_names.get(assigned[1], assigned[1])]
            else:
                continue
            if here == list(keys[: len(here)]) and (found is None or len(here) > found[0]):
                found = len(here), number
        return found

    def _instead(self, key: str, keys: Sequence[str]) -> str:
        return instead_of(key, self._fields(keys))


def instead_of(word: str, known: Iterable[str]) -> str:
    """Return a sentence for a word that is none of those that are known: what was meant, or what there is."""
    words = list(known)
    close = get_close_matches(word, words, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(words)}."


_WORDS: Final = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "array": "a list",
    "object": "a section",
    "bool": "true or false",
}
_BOUNDS: Final = {"<=": "of at most", ">=": "of at least", "<": "below", ">": "above"}
