"""Records of a vendor's answer, read as a saved answer would be by `flatline links import`."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.files.exports.errors import UnreadableExport
from flatline_connectors.files.exports.reading import HISTORY, Options, RejectedRow, read_export
from flatline_connectors.runtime.connector import LETTER_BYTES, FoundRecord, MalformedPage, UnreadableRecord, found_link
from flatline_connectors.vendors.requests import letter_of


def history_before(known: datetime | None, *, began_at: datetime, overlap: timedelta) -> datetime:
    """Return up to when links are history: those that no run asked for before are new, however late this one is.

    ``known``: up to when they were asked for; None: they never were. ``began_at``: when this run began.
    """
    return began_at - HISTORY if known is None else known - overlap


def asked_from(known: datetime | None, *, began_at: datetime, backfill_s: float, overlap: timedelta) -> datetime:
    """Return from when on links are asked for; ``known`` and ``began_at`` as of `history_before`."""
    return began_at - timedelta(seconds=backfill_s) if known is None else known - overlap


def records_of(
    body: bytes,
    format_name: str,
    *,
    rows: int,
    pulled_at: datetime,
    history_before: datetime | None,
    is_ours: Callable[[str], bool] | None,
    origin: Mapping[str, str | int],
    discovery: Literal["page_found"] | None = None,
) -> list[FoundRecord | UnreadableRecord]:
    """Return the events of the rows of an answer, and the rows that can't be read. Raise `Rejected`.

    ``format_name``: one of files/exports/formats. ``rows``: how many the answer has; without any it has no columns to
    know it by. ``history_before``: links first seen before are history; None: none is. ``discovery``: how the links
    were found, where the vendor does not say so and the connector knows. The events name no source, so they get that of
    the section.
    """
    if not rows:
        return []
    options = Options(exported_at=pulled_at, history_before=history_before, format=format_name, is_ours=is_ours)
    records: list[FoundRecord | UnreadableRecord] = []
    try:
        for found in read_export("the answer", body, options, lambda _recognised: None):
            if isinstance(found, RejectedRow):
                value = found.text.encode(errors="replace")[:LETTER_BYTES]
                records.append(UnreadableRecord(value, found.rejected, {**origin, "line": found.number}))
            else:
                event = msgspec.structs.replace(found, source=None, discovery=discovery or found.discovery)
                records.append(found_link(event, **origin))
    except UnreadableExport as error:
        raise Rejected(Reason.INVALID_VALUE, str(error)) from None
    return records


@contextmanager
def refused_as_a_whole(
    body: bytes, secret: str, origin: Mapping[str, str | int], state: msgspec.Struct | None = None
) -> Iterator[None]:
    """Raise `MalformedPage` where an answer can't be read. Its dead letter is without the secret.

    ``state``: where to go on; None: at the next run.
    """
    try:
        yield
    except Rejected as rejected:
        raise MalformedPage(letter_of(body, secret), rejected, origin=origin, state=state) from None
