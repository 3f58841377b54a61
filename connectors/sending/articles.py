"""Article records on their way to Kafka: checked, and keyed by their canonical URL."""

import re
from typing import Final, NamedTuple

import msgspec

from flatline.domain.time import to_datetime
from flatline.domain.urls.canonical import article_key
from flatline.schema import codec
from flatline.schema.article_record import ArticleRecord
from flatline.schema.removal import Removal
from flatline_connectors.files.tables import Table

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


class PreparedArticle(NamedTuple):
    """An article record that can be sent: its key, the bytes to send, and what they say."""

    key: bytes
    value: bytes
    record: ArticleRecord


def prepare(value: bytes) -> PreparedArticle:
    """Check one article record and return it with its key; raise `Rejected` and nothing else."""
    record = codec.articles.decode(value)
    for alias in record.aliases:
        article_key(alias, field="aliases")
    return PreparedArticle(article_key(record.url, field="url"), value, record)


class PreparedRemoval(NamedTuple):
    """A removal that can be sent: the article's key, and the bytes to send."""

    key: bytes
    value: bytes


def removal_of(url: str, *, removed_ms: int) -> PreparedRemoval:
    """Return the removal of an article by any of its URLs; raise `Rejected` for what is none."""
    key = article_key(url, field="url")
    return PreparedRemoval(key, codec.removals.encode(Removal(key.decode(), to_datetime(removed_ms))))


def from_texts(texts: dict[str, str]) -> bytes:
    """Return the record, as JSON, that a person's texts describe: empty ones are left out, a date means 0:00 UTC."""
    fields: dict[str, str | int | list[str]] = {name: text.strip() for name, text in texts.items() if text.strip()}
    for name, text in fields.items():
        if name == "aliases":
            fields[name] = str(text).split()
        elif name in ("tier", "version") and str(text).isdecimal():
            fields[name] = int(str(text))
        elif name == "published_at" and _DATE.fullmatch(str(text)):
            fields[name] = f"{text}T00:00:00Z"
    return msgspec.json.encode(fields)


TABLE: Final = Table("an article", ArticleRecord, {"url"}, from_texts)
