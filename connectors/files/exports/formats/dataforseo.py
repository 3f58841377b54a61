"""DataForSEO: saved responses of backlinks/backlinks/live."""

from typing import Final

from flatline_connectors.files.exports.columns import Cells, Columns, ReadRow
from flatline_connectors.files.exports.format import Export, Format
from flatline_connectors.files.exports.row import Placement, Row, Skipped, Statement
from flatline_connectors.files.exports.values import authority_of, number_of

_PLACEMENTS: Final[dict[str, Placement]] = {
    **dict.fromkeys(("article", "main", "section", "p", "figure"), "content"),
    **dict.fromkeys(("header", "nav"), "nav"),
    "footer": "footer",
    "aside": "sidebar",
}
_KIND_FLAGS: Final = frozenset({"image", "canonical", "alternate", "redirect", "meta"})
_SPAM_SCORE: Final = 60  # of 100


def _reason(status: float | None) -> str:
    match status:
        case 404 | 410:
            return "page_gone"
        case int() | float() if status >= 500:  # noqa: PLR2004
            return "page_error"
        case int() | float() if 300 <= status < 400:  # noqa: PLR2004
            return "page_redirected"
        case 200:
            return "removed"
        case _:
            return "vendor_unsure"


def _read(columns: Columns, _: Export) -> ReadRow:
    url_from, url_to = columns.raw("url_from"), columns.raw("url_to")
    anchor, alt = columns.text("anchor"), columns.text("alt")
    before, after = columns.text("text_pre"), columns.text("text_post")
    attributes, followed = columns.text("attributes"), columns.text("dofollow")
    kind, place = columns.text("item_type"), columns.text("semantic_location")
    title, language = columns.text("page_from_title"), columns.text("page_from_language")
    authority, spam = columns.raw("domain_from_rank"), columns.raw("backlink_spam_score")
    status, group = columns.raw("page_from_status_code"), columns.raw("group_count")
    links = columns.raw("links_count")  # of the page to the target, of which it shows one
    is_original, is_lost = columns.yes("original"), columns.yes("is_lost")
    is_indirect = columns.yes("is_indirect_link")
    first_seen, last_seen = columns.instant("first_seen"), columns.instant("last_seen")

    def read(cells: Cells) -> Row | Skipped:
        text, lost = anchor(cells), is_lost(cells)
        around = (before(cells), text, after(cells))
        tokens = frozenset(attributes(cells).split())
        if followed(cells) == "false":
            tokens |= {"nofollow"}
        flags = frozenset({kind(cells)}) & _KIND_FLAGS
        flags |= {"spam"} if (number_of(spam(cells)) or 0) >= _SPAM_SCORE else set()
        flags |= {"floor"} if max(number_of(group(cells)) or 1, number_of(links(cells)) or 1) > 1 else set()
        flags |= {"redirect"} if is_indirect(cells) else set()
        return Row(
            url_from=url_from(cells).strip(),
            url_to=url_to(cells).strip(),
            anchor=text or alt(cells),
            anchor_is_alt=not text,
            context=" ".join(part for part in around if part) if around[0] or around[2] else "",
            rel=tokens,
            placement=_PLACEMENTS.get(place(cells)),
            title=title(cells),
            language=language(cells),
            authority=authority_of(authority(cells)),  # above 100 where nobody asked for rank_scale one_hundred
            statement=Statement.PAGE_FOUND if is_original(cells) else Statement.LINK_FOUND,
            first_seen=first_seen(cells),
            last_seen=last_seen(cells),
            is_lost=lost,
            lost_at=last_seen(cells) if lost else None,
            lost_reason=_reason(number_of(status(cells))) if lost else "",
            flags=flags,
        )

    return read


FORMATS: Final = (
    Format(
        "dataforseo",
        "DataForSEO",
        ("url_from", "url_to", "first_seen", ("domain_from_rank", "item_type")),
        _read,
        urls=("url_from", "url_to"),
        dates=("first_seen", "last_seen"),
    ),
)
