"""Full-text search: words, each of which may be the beginning of one."""

import re
from typing import Final

from sqlalchemy import ColumnElement, column, false, text

WORDS_MAX: Final = 16
_WORDS: Final = re.compile(r"[^\W_]+")


def matches(number: ColumnElement[int], search: str, words: str) -> ColumnElement[bool]:
    """Whether a row, by its number, has all words of a text in a search table. A text without words matches nothing.

    The last word may be the beginning of one.
    """
    found = _WORDS.findall(words)[:WORDS_MAX]
    if not found:
        return false()
    *whole, last = (f'"{word}"' for word in found)
    query = " ".join([*whole, f"{last}*"])
    found_in = text(f"SELECT rowid FROM {search} WHERE {search} MATCH :words")  # noqa: S608 - a table's name
    return number.in_(found_in.bindparams(words=query).columns(column("rowid")))
