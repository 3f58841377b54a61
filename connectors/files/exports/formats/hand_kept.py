"""Sheets that people keep, and exports of unknown tools: columns with the usual names."""

from collections.abc import Callable, Sequence
from typing import Final

from flatline_connectors.files.exports.columns import Cells, Columns, ReadRow
from flatline_connectors.files.exports.format import Export, Format
from flatline_connectors.files.exports.row import Row, Skipped
from flatline_connectors.files.exports.values import address_of, authority_of, is_yes, text_of

URL_FROM: Final = (
    "url_from", "source url", "source", "source page", "source page url", "referring page url", "referring page",
    "referring url", "linking page", "linking url", "backlink", "backlink url", "page url", "live link", "from",
    "referrer",
)  # fmt: skip
URL_TO: Final = (
    "url_to", "target url", "target", "target page", "destination", "destination url", "linked url", "to",
)  # fmt: skip
ANCHOR: Final = ("anchor", "anchor text", "link text", "text")
TITLE: Final = ("title", "source title", "page title", "referring page title")
FIRST_SEEN: Final = (
    "first seen", "first seen link", "first found", "source first found date", "first indexed date", "date first seen",
    "discovered", "found on", "occurred_at", "observed_at",
)  # fmt: skip
LAST_SEEN: Final = ("last seen", "last visited", "last checked", "last crawled", "source crawl date", "date last seen")
LOST: Final = ("lost", "lost date", "date lost")
AUTHORITY: Final = (
    "domain rating",
    "dr",
    "da",
    "domain authority",
    "authority score",
    "source trust flow",
    "authority",
)
NOFOLLOW: Final = ("nofollow", "no follow", "flagnofollow", "is nofollow")
FOLLOW: Final = ("follow", "dofollow", "is dofollow")
FIELDS: Final[dict[str, Sequence[str]]] = {
    "url_from": URL_FROM,
    "url_to": URL_TO,
    "anchor": ANCHOR,
    "title": TITLE,
    "first_seen": FIRST_SEEN,
    "last_seen": LAST_SEEN,
    "lost": LOST,
    "authority": AUTHORITY,
    "nofollow": NOFOLLOW,
    "follow": FOLLOW,
    "rel": ("rel",),
    "ugc": ("ugc", "is ugc"),
    "sponsored": ("sponsored", "is sponsored"),
}


def _rel(columns: Columns) -> Callable[[Cells], frozenset[str] | None]:
    readers: list[tuple[str, Callable[[Cells], str], bool]] = []
    for token, names, when in (
        ("nofollow", NOFOLLOW, True),
        ("nofollow", FOLLOW, False),
        ("ugc", FIELDS["ugc"], True),
        ("sponsored", FIELDS["sponsored"], True),
    ):
        if any(name in columns for name in names):
            readers.append((token, columns.text(*names), when))
    tokens = columns.text("rel") if "rel" in columns else None

    def read(cells: Cells) -> frozenset[str] | None:
        said = [(token, is_yes(text) is when) for token, reader, when in readers if (text := reader(cells))]
        words = tokens(cells).lower().replace(",", " ").split() if tokens else []
        if not said and not words:
            return None
        return frozenset(token for token, holds in said if holds) | frozenset(words) - {"follow", "dofollow"}

    return read


def _read(columns: Columns, _: Export) -> ReadRow:
    url_from, url_to = columns.raw(*URL_FROM), columns.raw(*URL_TO)
    anchor, title, rel = columns.text(*ANCHOR), columns.text(*TITLE), _rel(columns)
    authority = columns.raw(*AUTHORITY)
    first_seen, last_seen = columns.instant(*FIRST_SEEN), columns.instant(*LAST_SEEN)
    lost_text, lost_at = columns.raw(*LOST), columns.instant(*LOST)

    def read(cells: Cells) -> Row | Skipped:
        # People write a date or just "yes".
        is_dated = any(character.isdigit() for character in text_of(lost_text(cells))[1:])
        lost = lost_at(cells) if is_dated else None
        is_lost = lost is not None or is_yes(lost_text(cells))
        return Row(
            url_from=address_of(url_from(cells)),
            url_to=address_of(url_to(cells)),
            anchor=anchor(cells),
            rel=rel(cells),
            title=title(cells),
            authority=authority_of(authority(cells)),
            first_seen=first_seen(cells),
            last_seen=last_seen(cells),
            is_lost=is_lost,
            lost_at=lost,
            lost_reason="vendor_unsure" if is_lost else "",
        )

    return read


FORMATS: Final = (
    Format(
        "hand-kept",
        "a table with named columns",
        (URL_FROM, URL_TO),
        _read,
        urls=(*URL_FROM, *URL_TO),
        dates=FIRST_SEEN,
    ),
)
