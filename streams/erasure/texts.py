"""The texts in a record, whatever its format."""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

_STATE_FORMATS: Final = b"\1\2"
_ESCAPED: Final = re.compile(r"\\u([0-9a-fA-F]{4})|\\[nrt]")
_ERRORS: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError)


def texts_of(data: bytes) -> Iterator[str]:
    """Yield the texts in JSON, or in a record of the state, names of fields included; else the whole as a text."""
    tree = _json(data)
    if tree is None and data[:1] and data[:1] in _STATE_FORMATS:
        tree = _state(data[1:])
    if tree is not None:
        yield from _texts(tree)
        return
    text = data.decode(errors="replace")
    yield text
    if "\\" in text:  # of JSON that was cut
        yield _ESCAPED.sub(lambda escaped: chr(int(escaped[1], 16)) if escaped[1] else " ", text)


def _json(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except _ERRORS:
        return None


def _state(data: bytes) -> Any:
    try:
        return msgspec.msgpack.decode(data)
    except _ERRORS:
        return None


def _texts(tree: Any) -> Iterator[str]:
    left = [tree]
    while left:
        each = left.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, bytes):
            yield each.decode(errors="replace")
        elif isinstance(each, dict):
            left += [*each.keys(), *each.values()]
        elif isinstance(each, list):
            left += each
