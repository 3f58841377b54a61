"""Moz: the inbound-links report, after its six lines of preamble, and saved responses of the Links API v2."""

from datetime import datetime
from typing import Final

from flatline_connectors.files.exports.columns import Cells, Columns, ReadRow
from flatline_connectors.files.exports.dates import instant_of
from flatline_connectors.files.exports.format import Export, Format
from flatline_connectors.files.exports.row import Row, Skipped
from flatline_connectors.files.exports.values import address_of, authority_of


def _report_date(export: Export) -> datetime | None:
    for row in export.preamble:
        if row and row[0].strip().lower() == "date" and len(row) > 1:
            try:
                return instant_of(row[1])
            except ValueError:
                return None
    return None


def _read_report(columns: Columns, export: Export) -> ReadRow:
    url_from, url_to = columns.raw("URL"), columns.raw("Target URL")
    title, anchor, origin = columns.text("Title"), columns.text("Anchor Text"), columns.text("Origin")
    rel = columns.rel(nofollow="Only rel=nofollow")
    is_redirect = columns.yes("301")
    authority = columns.raw("Domain Authority", "DA")
    first_seen, last_seen = columns.instant("Date First Seen"), columns.instant("Date Last Seen")
    reported_at = _report_date(export)

    def read(cells: Cells) -> Row | Skipped:
        if origin(cells).lower() == "internal":
            return Skipped("internal")
        return Row(
            url_from=address_of(url_from(cells)),
            url_to=address_of(url_to(cells)),
            anchor=anchor(cells),
            rel=rel(cells),
            title=title(cells),
            authority=authority_of(authority(cells)),
            first_seen=first_seen(cells) or reported_at,
            last_seen=last_seen(cells),
            flags=frozenset({"redirect"} if is_redirect(cells) else ()),
        )

    return read


def _with_scheme(address: str) -> str:
    # The API leaves it out of its pages.
    return address if not address or "://" in address else f"https://{address}"


def _read_answer(columns: Columns, _: Export) -> ReadRow:
    url_from, url_to = columns.raw("source page"), columns.raw("target page")
    title, anchor = columns.text("source title"), columns.text("anchor_text")
    nofollow = columns.text("nofollow")
    authority = columns.raw("source domain_authority")
    first_seen, last_seen = columns.instant("date_first_seen"), columns.instant("date_last_seen")
    lost_at = columns.instant("date_disappeared")

    def read(cells: Cells) -> Row | Skipped:
        lost, followed = lost_at(cells), nofollow(cells)
        return Row(
            url_from=_with_scheme(url_from(cells)),
            url_to=_with_scheme(url_to(cells)),
            anchor=anchor(cells),
            rel=None if not followed else frozenset({"nofollow"} if followed == "true" else ()),
            title=title(cells),
            authority=authority_of(authority(cells)),
            first_seen=first_seen(cells),
            last_seen=last_seen(cells),
            is_lost=lost is not None,
            lost_at=lost,
            lost_reason="vendor_unsure" if lost else "",  # Moz: the page could not be crawled again
        )

    return read


FORMATS: Final = (
    Format(
        "moz-inbound-links",
        "Moz",
        ("URL", "Target URL", "Anchor Text", ("Page Authority", "PA")),
        _read_report,
        urls=("URL", "Target URL"),
        dates=("Date First Seen", "Date Last Seen"),
    ),
    Format(
        "moz-api",
        "Moz",
        ("source page", "target page"),
        _read_answer,
        dates=("date_first_seen", "date_last_seen", "date_disappeared"),
    ),
)
