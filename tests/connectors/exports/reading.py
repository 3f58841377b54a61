"""Reads exports for tests, as short rows that can be compared."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from flatline.cli.link_files import is_on
from flatline.schema.link_event import LinkEvent
from flatline_connectors.files.exports.reading import Options, Recognised, RejectedRow, read_export

EXPORTED_AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
SITES = ("pub.example", "old-pub.example")


def read(
    name: str, data: bytes, *, sites: Sequence[str] = SITES, **options: Any
) -> tuple[list[LinkEvent], list[RejectedRow], list[Recognised]]:
    """Return the events, the rejected rows and what was recognised."""
    found: list[Recognised] = []
    how = Options(**{"exported_at": EXPORTED_AT, "is_ours": is_on(sites) if sites else None, **options})
    results = list(read_export(name, data, how, found.append))
    events = [result for result in results if isinstance(result, LinkEvent)]
    return events, [result for result in results if isinstance(result, RejectedRow)], found
