"""Visits records on their way to Kafka: checked, and keyed by the article's canonical URL."""

import re
from typing import Final, NamedTuple

import msgspec

from flatline.domain.state.visits import day_of_visits
from flatline.domain.time import LATEST_MS
from flatline.domain.urls.canonical import article_key
from flatline.schema import codec
from flatline.schema.visits_record import VisitsRecord
from flatline_connectors.files.tables import Table
from flatline_connectors.sending.sourced import with_source

_COMPACT_DATE: Final = re.compile(r"(\d{4})(\d{2})(\d{2})")


class PreparedVisits(NamedTuple):
    """A visits record that can be sent: its article's key, the bytes to send, and what they say."""

    key: bytes
    value: bytes
    record: VisitsRecord


def prepare(value: bytes, *, now_ms: int = LATEST_MS, default_source: str | None = None) -> PreparedVisits:
    """Check one visits record and return it with its key; raise `Rejected` and nothing else.

    The bytes stay as they are, except that a record without a source gets ``default_source``.
    """
    record = codec.visits.decode(value)
    key = article_key(record.url, field="url")
    day_of_visits(record, recorded_ms=now_ms)
    if default_source is not None and record.source is None:
        value = with_source(value, default_source)
        record = msgspec.structs.replace(record, source=default_source)
    return PreparedVisits(key, value, record)


def _from_texts(texts: dict[str, str]) -> bytes:
    """Return the record, as JSON, of a row: empty texts are left out, and 20260131 is a day, too."""
    fields: dict[str, str | int] = {name: text.strip() for name, text in texts.items() if text.strip()}
    for name, text in fields.items():
        if name in ("visits", "version") and str(text).isdecimal():
            fields[name] = int(text)
        elif name == "day" and (compact := _COMPACT_DATE.fullmatch(str(text))):
            fields[name] = "-".join(compact.groups())
    return msgspec.json.encode(fields)


TABLE: Final = Table("a visits record", VisitsRecord, {"url", "day", "visits"}, _from_texts)
