"""Article records on their way to Kafka: checked, and keyed by their canonical URL."""

import csv
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from connectors.errors import ConnectorError
from connectors.lines import Line, LineFile
from streams.domain.urls import article_key
from streams.schema import codec
from streams.schema.article_record import ArticleRecord

_COLUMNS: Final = tuple(field.name for field in msgspec.structs.fields(ArticleRecord))
_DELIMITERS: Final = (",", ";", "\t")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


class PreparedArticle(NamedTuple):
    """An article record that can be sent: its key, the bytes to send, and what they say."""

    key: bytes
    value: bytes
    record: ArticleRecord


class NotArticles(ConnectorError):
    """The lines are no article records at all. The message says what was found and what was looked for."""


def prepare(value: bytes) -> PreparedArticle:
    """Check one article record and return it with its key; raise `Rejected` and nothing else."""
    record = codec.articles.decode(value)
    return PreparedArticle(article_key(record.url, field="url"), value, record)


def from_texts(texts: dict[str, str]) -> bytes:
    """Return the record, as JSON, that a person's texts describe: empty ones are left out, a date means 0:00 UTC."""
    fields: dict[str, str | int] = {name: text.strip() for name, text in texts.items() if text.strip()}
    for name, text in fields.items():
        if name in ("tier", "version") and str(text).isdecimal():
            fields[name] = int(text)
        elif name == "published_at" and _DATE.fullmatch(str(text)):
            fields[name] = f"{text}T00:00:00Z"
    return msgspec.json.encode(fields)


def as_ndjson(file: LineFile) -> Iterator[Line]:
    """Return the lines of NDJSON as they are, and each row of CSV as a line of NDJSON.

    CSV is what doesn't begin with ``{``: its first line names the columns, in any order and letter case, and others
    than the record's are ignored. Raise `NotArticles` if none of them is ``url``, or for text that isn't UTF-8.
    """
    lines = iter(file)
    first = next(lines, None)
    if first is None:
        return
    if first.value.lstrip().startswith(b"{"):
        yield first
        yield from lines
    else:
        yield from _rows(file.name, first, lines)


def _rows(name: str, first: Line, lines: Iterator[Line]) -> Iterator[Line]:
    header = _text(name, first)
    delimiter = max(_DELIMITERS, key=header.count)
    columns = [column.strip().lower().replace(" ", "_") for column in next(csv.reader([header], delimiter=delimiter))]
    if "url" not in columns:
        raise NotArticles(
            f"{name} is neither NDJSON nor CSV with a column url: its first line is {header.strip()[:200]!r}.\n"
            f"The columns of an article are {', '.join(_COLUMNS)}."
        )
    rows = csv.reader((_text(name, line) for line in lines), delimiter=delimiter)
    for row in rows:
        texts = {column: text for column, text in zip(columns, row, strict=False) if column in _COLUMNS}
        if any(row):
            yield Line(first.number + rows.line_num, from_texts(texts))


def _text(name: str, line: Line) -> str:
    try:
        return line.value.decode() + "\n"
    except UnicodeDecodeError:
        raise NotArticles(f"{name}: line {line.number} is not UTF-8; save the file as UTF-8.") from None
