"""Ahrefs: the backlinks and broken-backlinks exports, and saved responses of API v3."""

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from flatline_connectors.files.exports.columns import Cells, Columns, ReadRow
from flatline_connectors.files.exports.format import Export, Format
from flatline_connectors.files.exports.row import Row, Skipped, Statement
from flatline_connectors.files.exports.values import address_of, authority_of, number_of

_STATEMENTS: Final = {
    "linkfound": Statement.LINK_FOUND,
    "pagefound": Statement.PAGE_FOUND,
    "linkrestored": Statement.LINK_RESTORED,
}
_LOST_REASONS: Final = {
    "removedfromhtml": "removed",
    "notfound": "page_gone",
    "pageerror": "page_error",
    "pageredirected": "page_redirected",
    "noindex": "noindex",
    "notcanonical": "not_canonical",
    "lostredirect": "redirect_lost",
}
# Kinds of links that no author has set, or no reader sees as a link.
_KIND_FLAGS: Final = {
    kind: frozenset({kind}) for kind in ("redirect", "canonical", "alternate", "rss", "form", "frame", "image")
}
_HOPS: Final = ("\n", " > ", "|", " ")


def _target(url_to: str, hops: str, export: Export) -> str:
    """Return the article that a link leads to: the end of its redirects if that is ours, else its target."""
    if not hops:
        return url_to
    for separator in _HOPS:
        hops = hops.replace(separator, "\n")
    last = next((hop for hop in reversed(hops.split("\n")) if hop.strip()), "").strip()
    return last if last and export.is_ours and export.is_ours(last) else url_to


@lru_cache(maxsize=4_096)
def _flags(kind: str, *, is_spam: bool, links_in_group: str) -> frozenset[str]:
    flags = _KIND_FLAGS.get(kind.lower(), frozenset())
    if is_spam:
        flags |= {"spam"}
    if (number_of(links_in_group) or 1) > 1:
        flags |= {"floor"}
    return flags


@lru_cache(maxsize=4_096)
def _first(text: str) -> str:
    return text.replace("\n", ",").split(",", 1)[0].strip()


def _context(left: Callable[[Cells], str], anchor: str, right: Callable[[Cells], str], cells: Cells) -> str:
    around = (left(cells), anchor, right(cells))
    return " ".join(part for part in around if part) if around[0] or around[2] else ""


def _read_export(columns: Columns, export: Export) -> ReadRow:
    url_from, url_to = columns.raw("Referring page URL"), columns.raw("Target URL")
    hops, kind, status = columns.text("Redirect Chain URLs"), columns.text("Type"), columns.text("Discovered status")
    anchor, left, right = columns.text("Anchor"), columns.text("Left context"), columns.text("Right context")
    title, author = columns.text("Referring page title"), columns.text("Author")
    language, page_type = columns.text("Language"), columns.text("Page type")
    rel = columns.rel(nofollow="Nofollow", ugc="UGC", sponsored="Sponsored")
    is_content, is_spam = columns.yes("Content"), columns.yes("Is spam")
    authority, in_group = columns.raw("Domain rating"), columns.text("Links in group")
    first_seen = columns.instant("First seen", "Ref. page checked")
    last_seen, lost_at = columns.instant("Last seen"), columns.instant("Lost")
    lost_status = columns.text("Lost status")

    def read(cells: Cells) -> Row | Skipped:
        text, lost = anchor(cells), lost_at(cells)
        return Row(
            url_from=address_of(url_from(cells)),
            url_to=_target(address_of(url_to(cells)), hops(cells), export),
            anchor=text,
            anchor_is_alt=kind(cells).lower() == "image",
            context=_context(left, text, right, cells),
            rel=rel(cells),
            placement="content" if is_content(cells) else None,
            title=title(cells),
            author=author(cells),
            language=_first(language(cells)),
            page_type=_first(page_type(cells)),
            authority=authority_of(authority(cells)),
            statement=_STATEMENTS.get(status(cells).lower(), Statement.NONE),
            first_seen=first_seen(cells),
            last_seen=last_seen(cells),
            is_lost=lost is not None,
            lost_at=lost,
            lost_reason=_LOST_REASONS.get(lost_status(cells).lower(), lost_status(cells)) if lost else "",
            flags=_flags(kind(cells), is_spam=is_spam(cells), links_in_group=in_group(cells)),
        )

    return read


def _read_answer(columns: Columns, export: Export) -> ReadRow:
    url_from, url_to, hops = columns.raw("url_from"), columns.raw("url_to"), columns.text("url_redirect")
    kind, status = columns.text("link_type"), columns.text("discovered_status")
    anchor, alt = columns.text("anchor"), columns.text("alt")
    left, right = columns.text("snippet_left"), columns.text("snippet_right")
    title, author = columns.text("title"), columns.text("source_page_author")
    language, page_type = columns.text("languages"), columns.text("page_type_source")
    rel = columns.rel(nofollow="is_nofollow", ugc="is_ugc", sponsored="is_sponsored")
    is_content, is_spam, is_lost = columns.yes("is_content"), columns.yes("is_spam"), columns.yes("is_lost")
    authority, in_group = columns.raw("domain_rating_source"), columns.text("link_group_count")
    first_seen, last_visited = columns.instant("first_seen_link", "first_seen"), columns.instant("last_visited")
    # In API v3 last_seen is when the loss was discovered.
    lost_at, lost_reason = columns.instant("last_seen"), columns.text("lost_reason")
    published_at = columns.instant("source_page_publish_date")

    def read(cells: Cells) -> Row | Skipped:
        text, reason = anchor(cells), lost_reason(cells)
        # A drop_reason alone is the tool that cleans its index, and no loss.
        lost = is_lost(cells) and reason != ""
        return Row(
            url_from=address_of(url_from(cells)),
            url_to=_target(address_of(url_to(cells)), hops(cells), export),
            anchor=text or alt(cells),
            anchor_is_alt=not text,
            context=_context(left, text, right, cells),
            rel=rel(cells),
            placement="content" if is_content(cells) else None,
            title=title(cells),
            author=author(cells),
            language=_first(language(cells)),
            page_type=_first(page_type(cells)),
            published_at=published_at(cells),
            authority=authority_of(authority(cells)),
            statement=_STATEMENTS.get(status(cells).lower(), Statement.NONE),
            first_seen=first_seen(cells),
            last_seen=last_visited(cells),
            is_lost=lost,
            lost_at=lost_at(cells) if lost else None,
            lost_reason=_LOST_REASONS.get(reason, reason),
            flags=_flags(kind(cells), is_spam=is_spam(cells), links_in_group=in_group(cells)),
        )

    return read


FORMATS: Final = (
    Format(
        "ahrefs-backlinks",
        "Ahrefs",
        ("Referring page URL", "Target URL", "First seen"),
        _read_export,
        urls=("Referring page URL", "Target URL"),
        dates=("First seen", "Last seen", "Lost"),
    ),
    Format(
        "ahrefs-broken-backlinks",
        "Ahrefs",
        ("Referring page URL", "Target URL", "Ref. page checked"),
        _read_export,
        urls=("Referring page URL", "Target URL"),
        dates=("Ref. page checked",),
    ),
    Format(
        "ahrefs-api",
        "Ahrefs",
        ("url_from", "url_to", "first_seen_link"),
        _read_answer,
        urls=("url_from", "url_to"),
        dates=("first_seen_link", "last_seen"),
    ),
    Format(
        "ahrefs-link-intersect",
        "Ahrefs",
        ("Domain rating", "Intersect"),
        refusal="a link intersect compares domains and holds no links; export Backlinks instead",
    ),
    Format(
        "ahrefs-referring-domains",
        "Ahrefs",
        ("Domain", "Domain rating", "Dofollow ref. domains"),
        refusal="a list of domains says neither which page links nor to which; export Backlinks instead",
    ),
    Format(
        "ahrefs-anchors",
        "Ahrefs",
        ("Anchor", "Referring domains"),
        refusal="a list of anchors says neither which page links nor to which; export Backlinks instead",
    ),
)
