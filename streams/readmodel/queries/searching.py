"""Full-text search: words, each of which may be the beginning of one."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Boolean, Column, ColumnElement, bindparam, false
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement

from flatline.readmodel.tables import SEARCHED

WORDS_MAX: Final = 16
_CHARACTERS_MAX: Final = 200  # of a word; the rest of it is not looked at
_WORDS: Final = re.compile(r"[^\W_]+")
_MARKS: Final = re.compile("[\u0300-\u036f]")


def matches(search: str, words: str) -> ColumnElement[bool]:
    """Whether a row has all words of a text in the columns that a search looks into, whatever their case and accents.

    The last word may be the beginning of one. A text without words matches nothing.
    """
    found = _WORDS.findall(_MARKS.sub("", unicodedata.normalize("NFKD", words.lower())))[:WORDS_MAX]
    return _Matches(search, [word[:_CHARACTERS_MAX] for word in found]) if found else false()


class _Matches(FunctionElement[bool]):
    """A condition that each database has in its own way."""

    type = Boolean()
    inherit_cache = False  # what is searched is part of it

    def __init__(self, search: str, words: Sequence[str]) -> None:
        self.search = search
        *whole, last = (f'"{word}"' for word in words)
        sqlite = " ".join([*whole, f"{last}*"])
        *whole, last = (f"'{word}'" for word in words)
        postgresql = " & ".join([*whole, f"{last}:*"])
        super().__init__(bindparam(None, sqlite), bindparam(None, postgresql), *SEARCHED[search])


@compiles(_Matches, "sqlite")
def _in_sqlite(element: _Matches, compiler: SQLCompiler, **options: Any) -> str:
    """Ask the table that FTS5 keeps."""
    asked = compiler.process(next(iter(element.clauses)), **options)
    search, table = element.search, SEARCHED[element.search][0].table.name
    return f"{table}.id IN (SELECT rowid FROM {search} WHERE {search} MATCH {asked})"  # noqa: S608 - names of ours


@compiles(_Matches, "postgresql")
def _in_postgresql(element: _Matches, compiler: SQLCompiler, **options: Any) -> str:
    """Say what is indexed, so that the index is used."""
    asked = compiler.process(list(element.clauses)[1], **options)
    return f"{words_in(SEARCHED[element.search])} @@ CAST({asked} AS tsquery)"


def words_in(columns: Sequence[Column[Any]]) -> str:
    """Return the expression by which PostgreSQL finds the words of columns, as SQLite's `unicode61` does.

    In small letters, without accents; what is neither letter nor digit separates words.
    """
    texts = " || ' ' || ".join(f"coalesce({column.table.name}.{column.name}, '')" for column in columns)
    small = f"""normalize(lower(({texts}) COLLATE "und-x-icu"), NFKD)"""
    plain = rf"regexp_replace({small}, '[\u0300-\u036f]', '', 'g')"
    short = rf"regexp_replace({plain}, '([[:alnum:]]{{{_CHARACTERS_MAX}}})[[:alnum:]]+', '\1', 'g')"
    return f"array_to_tsvector(array_remove(regexp_split_to_array({short}, '[^[:alnum:]]+'), ''))"
