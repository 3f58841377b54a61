"""Majestic: the download from the website, and GetBackLinkData as CSV or as a saved response."""

from typing import Final

from flatline_connectors.files.exports.columns import Cells, Columns, ReadRow
from flatline_connectors.files.exports.format import Export, Format
from flatline_connectors.files.exports.row import Row, Skipped, Statement
from flatline_connectors.files.exports.values import address_of, authority_of, is_set


def _read(columns: Columns, _: Export) -> ReadRow:
    url_from, url_to = columns.raw("Source URL"), columns.raw("Target URL")
    anchor = columns.text("Anchor Text")
    no_follow, image = columns.raw("FlagNoFollow"), columns.raw("FlagImageLink", "FlagImages")
    redirect, frame, alt = columns.raw("FlagRedirect"), columns.raw("FlagFrame"), columns.raw("FlagAltText")
    mention, old_crawl, deleted = columns.raw("FlagMention"), columns.raw("FlagOldCrawl"), columns.raw("FlagDeleted")
    first_seen = columns.instant("Source First Found Date", "FirstIndexedDate", "Date")
    last_seen, lost_at = columns.instant("Source Crawl Date", "LastSeenDate"), columns.instant("DateLost")
    authority = columns.raw("SourceTrustFlow")

    def read(cells: Cells) -> Row | Skipped:
        if is_set(mention(cells)):
            return Skipped("a mention, no link")
        lost = lost_at(cells)
        kinds = (("redirect", redirect), ("frame", frame), ("image", image))
        return Row(
            url_from=address_of(url_from(cells)),
            url_to=address_of(url_to(cells)),
            anchor=anchor(cells),
            anchor_is_alt=is_set(alt(cells)),
            rel=frozenset({"nofollow"} if is_set(no_follow(cells)) else ()),
            authority=authority_of(authority(cells)),
            # Majestic doesn't tell a new link from a new page.
            statement=Statement.NONE if is_set(old_crawl(cells)) else Statement.PAGE_FOUND,
            first_seen=first_seen(cells),
            last_seen=last_seen(cells),
            is_lost=lost is not None or is_set(deleted(cells)),
            lost_at=lost,
            lost_reason="vendor_unsure" if lost or is_set(deleted(cells)) else "",
            flags=frozenset(flag for flag, flagged in kinds if is_set(flagged(cells))),
        )

    return read


FORMATS: Final = (
    Format(
        "majestic-backlinks",
        "Majestic",
        ("Source URL", "Target URL", ("Source First Found Date", "FirstIndexedDate")),
        _read,
        urls=("Source URL", "Target URL"),
        dates=("Source First Found Date", "Source Crawl Date", "FirstIndexedDate", "LastSeenDate", "DateLost"),
    ),
)
