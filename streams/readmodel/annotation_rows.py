"""Annotations: the last record of each."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection

from flatline.domain.annotations import read_annotation
from flatline.domain.time import to_ms
from flatline.readmodel.address_rows import AddressRows
from flatline.readmodel.last_records import apply_last_records
from flatline.readmodel.records import Record
from flatline.readmodel.tables import annotations


def apply_annotations(connection: Connection, addresses: AddressRows, records: Iterable[Record]) -> set[int]:
    """Keep the last record of each annotation. Return the articles that have some: one may be new by that."""
    articles: set[int] = set()

    def row(number: str, value: bytes, recorded_ms: int) -> dict[str, Any]:
        said = read_annotation(number.encode(), value)
        address_id = None
        if said.article is not None:
            address_id = addresses.ids(connection, [said.article])[said.article]
            articles.add(addresses.article_of(address_id))
        return {
            "id": number,
            "day": said.day.isoformat(),
            "text": said.text,
            "address_id": address_id,
            "site": said.site,
            "by": said.by,
            "annotated_ms": min(to_ms(said.annotated_at), recorded_ms),
            "is_removed": said.is_removed,
        }

    apply_last_records(connection, annotations, records, row)
    return articles
