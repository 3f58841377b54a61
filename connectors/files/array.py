"""Splits a JSON array into its elements, as it is read: an element that is no JSON harms no other.

Only strings, brackets and commas are looked at. What an element holds is checked where it is decoded.
"""

import re
from collections.abc import Iterator
from typing import Final

WHITE_SPACE: Final = b" \t\r\n"

# Brackets, each of which costs a step: more than any real batch has, and still quick.
STEPS_MAX: Final = 200_000

# All repetitions are possessive: none is ever taken back, so a match takes no memory, and time for each byte once.
_STRING: Final = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_TO_COMMA_OR_BRACKET: Final = re.compile(rb'(?:[^"\[\]{},]++|%b)*+' % _STRING, re.DOTALL).match
_TO_BRACKET: Final = re.compile(rb'(?:[^"\[\]{}]++|%b)*+' % _STRING, re.DOTALL).match


class NotAnArray(ValueError):
    """The text is no array of JSON; the message says why."""


class TooComplex(ValueError):
    """The array has more than STEPS_MAX brackets."""


def elements(text: bytes) -> Iterator[bytes]:
    """Yield the elements of an array as they are written, without white space around them.

    Raise `NotAnArray` where it is not closed or something follows it, and `TooComplex`.
    """
    at = text.index(b"[") + 1
    begin, depth, is_first = at, 0, True
    for _ in range(STEPS_MAX):
        found = (_TO_BRACKET if depth else _TO_COMMA_OR_BRACKET)(text, at)
        at = found.end() + 1 if found else at + 1
        sign = text[at - 1 : at]
        if sign in (b"", b'"'):
            raise NotAnArray("it is not closed, or one of its strings is not")
        if sign in b"[{":
            depth += 1
        elif depth:
            depth -= sign != b","
        else:
            element = text[begin : at - 1].strip(WHITE_SPACE)
            if element or sign == b"," or not is_first:
                yield element
            if sign != b",":
                break
            begin, is_first = at, False
    else:
        raise TooComplex
    if sign != b"]":
        raise NotAnArray(f"a bracket is closed that was not opened (byte {at - 1})")
    if text[at:].strip(WHITE_SPACE):
        raise NotAnArray(f"something follows the array (byte {at})")
