"""What a page shows to somebody who looks for a link: its links with what is around them, and what page it is."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal, get_args

from selectolax.lexbor import LexborHTMLParser, LexborNode

from flatline.domain.urls.canonical import InvalidUrl, canonicalize, referring_domain
from flatline.schema.limits import NAME_CHARACTERS_MAX, TITLE_CHARACTERS_MAX, TOKEN_CHARACTERS_MAX
from flatline.schema.link_event import Page
from flatline_connectors.pages.dates import instant_of
from flatline_connectors.pages.links import UNSEEN, PageLink, link_elements, merged_link, one_line, resolved

Placement = Literal["content", "nav", "footer", "sidebar", "comment"]

_BEST_FIRST: Final[tuple[Placement, ...]] = get_args(Placement)
_OF_TAG: Final[Mapping[str, Placement]] = {
    "nav": "nav",
    "footer": "footer",
    "aside": "sidebar",
    "main": "content",
    "article": "content",
}
_COMMENTS: Final = frozenset({"comment", "comments", "commentlist", "comment-list", "respond", "disqus_thread"})
_OF_NAME: Final[Mapping[str, Placement]] = {
    "nav": "nav",
    "navbar": "nav",
    "navigation": "nav",
    "menu": "nav",
    "footer": "footer",
    "site-footer": "footer",
    "sidebar": "sidebar",
    "widget": "sidebar",
    "blogroll": "sidebar",
    "content": "content",
    "entry-content": "content",
    "post-content": "content",
}
_BLOCKS: Final = frozenset({"p", "li", "td", "dd", "blockquote", "figcaption", "div", "section", "article", "main"})
_ROOTS: Final = "#root, #app, #__next, #__nuxt, #___gatsby"
CONTEXT_CHARACTERS_MAX: Final = 300


@dataclass(frozen=True)
class SeenLink(PageLink):
    """A link as the page has it. ``context``: the text of the paragraph; empty: there is none beside the link's own."""

    context: str = ""
    placement: Placement | None = None


@dataclass(frozen=True)
class PageSeen:
    """A page that was read.

    ``links``      all links by the canonical form of their targets
    ``words``      of its visible text
    ``is_shell``   scripts make its content: there is nothing to read before they run
    ``outbound``   how many targets lie on other sites
    ``about``      what it says of itself
    """

    title: str
    heading: str
    text: str
    words: int
    links: Mapping[str, SeenLink]
    outbound: int
    is_shell: bool
    is_noindex: bool
    canonical: str | None
    about: Page


def read_page(html: str, url: str, *, robots_header: str = "") -> PageSeen:
    """Read a page that was found at ``url``. ``robots_header``: what X-Robots-Tag says."""
    page = LexborHTMLParser(html)
    has_script = page.css_first("script") is not None
    wants_scripts = any("javascript" in each.text(deep=True).lower() for each in page.css("noscript"))
    page.strip_tags([*UNSEEN, "noscript"])
    robots = {word for text in (robots_header, _meta(page, "robots") or "") for word in _words(text)}
    links = _links(page, url, is_nofollow="nofollow" in robots or "none" in robots)
    root = page.css_first(_ROOTS)
    has_anchors = page.css_first("a[href]") is not None
    text = one_line(page.body.text(deep=True, separator=" ")) if page.body is not None else ""
    is_empty_root = root is not None and not one_line(root.text(deep=True))
    title, heading = _text(page.css_first("title")), _text(page.css_first("h1"))
    return PageSeen(
        title=title,
        heading=heading,
        text=text,
        words=len(text.split()),
        links=links,
        outbound=sum(_domain(key) != _domain(url) for key in links),
        is_shell=is_empty_root or (not has_anchors and (has_script or wants_scripts)),
        is_noindex="noindex" in robots or "none" in robots,
        canonical=_canonical(page, url),
        about=Page(
            title=(heading or title)[:TITLE_CHARACTERS_MAX] or None,
            author=_author(page),
            published_at=_published_at(page),
            type=(_meta(page, "og:type") or "")[:NAME_CHARACTERS_MAX] or None,
            language=_language(page),
        ),
    )


def _links(page: LexborHTMLParser, url: str, *, is_nofollow: bool) -> dict[str, SeenLink]:
    links: dict[str, SeenLink] = {}
    for key, found, element in link_elements(page, url, is_wanted=lambda _: True):
        rel = tuple(sorted({*found.rel, "nofollow"})) if is_nofollow else found.rel
        link = SeenLink(found.url, found.anchor, rel, _context(element), _placement(element))
        links[key] = _merged(links[key], link) if key in links else link
    return links


def _merged(known: SeenLink, other: SeenLink) -> SeenLink:
    placements = (known.placement, other.placement)
    same = merged_link(known, other)
    best = next((place for place in _BEST_FIRST if place in placements), None)
    return replace(known, anchor=same.anchor, rel=same.rel, context=known.context or other.context, placement=best)


def _placement(element: LexborNode) -> Placement | None:
    nearest: Placement | None = None
    node = element.parent
    while node is not None:
        attributes = node.attributes
        names = _words(f"{attributes.get('class') or ''} {attributes.get('id') or ''}")
        if names & _COMMENTS:
            return "comment"
        if nearest is None:
            named = next((place for name, place in _OF_NAME.items() if name in names), None)
            nearest = _OF_TAG.get(node.tag or "") or named
        node = node.parent
    return nearest


def _context(element: LexborNode) -> str:
    own = one_line(element.text(deep=True))
    node = element.parent
    while node is not None and node.tag not in _BLOCKS:
        node = node.parent
    around = "" if node is None else one_line(node.text(deep=True))
    if around == own:
        return ""
    at = max(0, around.find(own) + len(own) // 2 - CONTEXT_CHARACTERS_MAX // 2)
    return around[at : at + CONTEXT_CHARACTERS_MAX].strip()


def _canonical(page: LexborHTMLParser, url: str) -> str | None:
    element = page.css_first("link[rel~='canonical'][href]")
    address = resolved(element.attributes.get("href") or "", url) if element is not None else None
    try:
        return canonicalize(address) if address else None
    except InvalidUrl:
        return None


def _meta(page: LexborHTMLParser, name: str) -> str | None:
    for element in page.css("meta[content]"):
        if (element.attributes.get("name") or element.attributes.get("property") or "").lower() == name:
            return one_line(element.attributes.get("content")) or None
    return None


def _author(page: LexborHTMLParser) -> str | None:
    name = _meta(page, "author")
    if name is None:
        element = page.css_first("a[rel~='author']")
        name = one_line(element.text(deep=True)) if element is not None else None
    return name[:NAME_CHARACTERS_MAX] if name and "://" not in name else None


def _published_at(page: LexborHTMLParser) -> datetime | None:
    return instant_of(_meta(page, "article:published_time") or "")


def _language(page: LexborHTMLParser) -> str | None:
    html = page.css_first("html")
    language = one_line(html.attributes.get("lang")) if html is not None else ""
    return language if 0 < len(language) <= TOKEN_CHARACTERS_MAX else None


def _text(element: LexborNode | None) -> str:
    return "" if element is None else one_line(element.text(deep=True))


def _words(text: str) -> set[str]:
    return set(text.lower().replace(",", " ").split())


def _domain(url: str) -> str:
    try:
        return referring_domain(canonicalize(url))
    except InvalidUrl:
        return ""
