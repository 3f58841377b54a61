"""Bing Webmaster Tools: the backlinks export. It has neither dates nor rel."""

from typing import Final

from flatline_connectors.files.exports.columns import Cells, Columns, ReadRow
from flatline_connectors.files.exports.format import Export, Format
from flatline_connectors.files.exports.row import Row, Skipped
from flatline_connectors.files.exports.values import address_of


def _read(columns: Columns, _: Export) -> ReadRow:
    url_from, url_to, anchor = columns.raw("Source Url"), columns.raw("Target Url"), columns.text("Anchor text")

    def read(cells: Cells) -> Row | Skipped:
        return Row(url_from=address_of(url_from(cells)), url_to=address_of(url_to(cells)), anchor=anchor(cells))

    return read


_ONLY_COUNTS: Final = "it has counts, and neither pages that link nor pages that are linked to; export Pages instead"

FORMATS: Final = (
    Format("bing-domains", "Bing", ("Domain", "Backlinks Count"), refusal=_ONLY_COUNTS),
    Format("bing-anchors", "Bing", ("Anchor", "Backlinks Count"), refusal=_ONLY_COUNTS),
    Format(
        "bing-backlinks",
        "Bing",
        ("Source Url", "Anchor text", "Target Url"),
        _read,
        urls=("Source Url", "Target Url"),
        is_only=True,
    ),
)
