"""Semrush: the backlinks export with old and new columns, text from API v3, and saved responses of API v4."""

from datetime import timedelta
from typing import Final

from flatline_connectors.files.exports.columns import Cells, Columns, ReadRow
from flatline_connectors.files.exports.format import Export, Format
from flatline_connectors.files.exports.row import Row, Skipped, Statement
from flatline_connectors.files.exports.values import address_of, authority_of

# "New link" is said of links for about a month.
_NEW_FOR: Final = timedelta(days=30)


def _read(columns: Columns, export: Export) -> ReadRow:
    url_from, url_to = columns.raw("Source url"), columns.raw("Target url")
    redirect_url = columns.text("Redirect url")
    anchor, alt, title = columns.text("Anchor"), columns.text("Image alt"), columns.text("Source title")
    rel = columns.rel(
        **{
            token: name
            for token in ("nofollow", "sponsored", "ugc")
            for name in (token, f"is {token}")
            if name in columns
        }
    )
    is_image, is_frame, is_form = (
        columns.yes("Image", "Is image"),
        columns.yes("Frame", "Is frame"),
        columns.yes("Form", "Is form"),
    )
    is_sitewide = columns.yes("Sitewide", "Is sitewide main")
    is_new, is_lost = columns.yes("New link", "Is new"), columns.yes("Lost link", "Is lost")
    authority = columns.raw("Page ascore", "Page score")
    first_seen, last_seen = columns.instant("First seen", "First seen at"), columns.instant("Last seen", "Last seen at")
    language = columns.text("Lang")

    def read(cells: Cells) -> Row | Skipped:
        text, hop, seen = anchor(cells), redirect_url(cells), first_seen(cells)
        fresh = is_new(cells) and seen is not None and seen > export.exported_at - _NEW_FOR
        kinds = (("image", is_image), ("frame", is_frame), ("form", is_form), ("sitewide", is_sitewide))
        return Row(
            url_from=address_of(url_from(cells)),
            url_to=hop if hop and export.is_ours and export.is_ours(hop) else address_of(url_to(cells)),
            anchor=text or alt(cells),
            anchor_is_alt=is_image(cells) or not text,
            rel=rel(cells),
            title=title(cells),
            language=language(cells),
            authority=authority_of(authority(cells)),
            statement=Statement.LINK_FOUND if fresh else Statement.NONE,
            first_seen=seen,
            last_seen=last_seen(cells),
            is_lost=is_lost(cells),  # there is no date of the loss
            lost_reason="vendor_unsure" if is_lost(cells) else "",
            flags=frozenset(flag for flag, is_set in kinds if is_set(cells)),
        )

    return read


FORMATS: Final = (
    Format(
        "semrush-backlinks",
        "Semrush",
        ("Source url", "Target url", ("Page ascore", "Page score"), ("First seen", "First seen at")),
        _read,
        urls=("Source url", "Target url"),
        dates=("First seen", "Last seen", "First seen at", "Last seen at"),
        roomy="Source title",
    ),
)
