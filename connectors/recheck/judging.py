"""What one look at a page says of a link: a finite table, and pure."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit

from flatline.domain.urls.canonical import InvalidUrl, canonicalize, referring_domain
from flatline.schema.link_event import Page
from flatline_connectors.fetching.outcomes import Fetched, Outcome
from flatline_connectors.pages.links import html_text
from flatline_connectors.recheck.reading import PageSeen, SeenLink, read_page
from flatline_connectors.recheck.signs import is_not_found, is_parked, is_wall, leads_to_wall

WORDS_MIN: Final = 50
_SERVER_ERRORS: Final = 500
_LANGUAGE_LENGTHS: Final = (2, 5)  # /en, /en-gb

Sight = Literal["live", "gone", "missing", "unknown"]
"""``gone`` needs no second look, ``missing`` does. ``unknown``: the page could not be read."""

_UNREAD: Final[Mapping[Outcome, str]] = {
    Outcome.DENIED: "wall",
    Outcome.REFUSED: "wall",
    Outcome.RATE_LIMITED: "rate_limited",
    Outcome.SERVER_ERROR: "unreachable",
    Outcome.UNREACHABLE: "unreachable",
    Outcome.TIMED_OUT: "unreachable",
    Outcome.BROKEN: "unreachable",
    Outcome.TLS_FAILED: "unreachable",
    Outcome.UNKNOWN_HOST: "unreachable",
    Outcome.ROBOTS_DISALLOWED: "robots",
    Outcome.ROBOTS_UNREACHABLE: "unreachable",
    Outcome.WRONG_TYPE: "no_html",
    Outcome.TOO_LARGE: "no_html",
    Outcome.UNDECODABLE: "no_html",
}


@dataclass(frozen=True)
class Judgement:
    """What a look says.

    ``why``            of a link that is gone or missing, a word of the contract's reasons; of a page that could not be
                       read, what was in the way
    ``link``           as it is now, where it is live
    ``others``         other pages of ours that are linked now, by canonical URL
    ``is_server_error``  the server answered that it can't (5xx)
    """

    sight: Sight
    why: str = ""
    link: SeenLink | None = None
    others: Mapping[str, SeenLink] = field(default_factory=dict)
    about: Page | None = None
    flags: tuple[str, ...] = ()
    retry_after_s: float | None = None
    is_server_error: bool = False


def judge(
    fetched: Fetched, url_from: str, targets: Collection[str], *, is_ours: Callable[[str], bool] | None = None
) -> Judgement:
    """Return what the fetch of ``url_from`` says of its link to ``targets``: canonical URLs that are one article."""
    outcome = fetched.outcome
    if outcome is Outcome.GONE:
        return Judgement("gone", "page_gone")
    if outcome is Outcome.NOT_FOUND:
        return Judgement("missing", "page_gone")
    if outcome is Outcome.UNKNOWN_HOST and _domain(fetched.url) == _domain(url_from):
        return Judgement("missing", "domain_gone")
    if outcome is not Outcome.FETCHED:
        return Judgement(
            "unknown",
            _UNREAD.get(outcome, "not_fetched"),
            retry_after_s=fetched.retry_after_s,
            is_server_error=outcome is Outcome.SERVER_ERROR and (fetched.status or 0) >= _SERVER_ERRORS,
        )
    html = html_text(fetched.body, fetched.charset)
    page = read_page(html, fetched.url, robots_header=fetched.headers.get("X-Robots-Tag", ""))
    link = next((page.links[target] for target in targets if target in page.links), None)
    if link is not None:
        return live(link, page, fetched.url)
    return _without_link(html, page, fetched, url_from, is_ours)


def live(link: SeenLink, page: PageSeen, url: str) -> Judgement:
    """Return the judgement of a page at ``url`` that has the link."""
    flags = ["noindex"] if page.is_noindex else []
    if page.canonical is not None and page.canonical != _canonical(url):
        flags.append("not_canonical")
    return Judgement("live", link=link, about=page.about, flags=tuple(flags))


def _without_link(
    html: str, page: PageSeen, fetched: Fetched, url_from: str, is_ours: Callable[[str], bool] | None
) -> Judgement:
    asked, found = _canonical(url_from), _canonical(fetched.url)
    if is_wall(html, page, size_bytes=len(fetched.body)) or (found != asked and leads_to_wall(found)):
        return Judgement("unknown", "wall")
    if is_parked(html, page):
        return Judgement("missing", "domain_gone")
    return _of_page(page, asked, found, is_ours)


def _of_page(page: PageSeen, asked: str, found: str, is_ours: Callable[[str], bool] | None) -> Judgement:
    if page.is_shell and not is_not_found(page):
        return Judgement("unknown", "javascript")
    if _domain(found) != _domain(asked) or (_is_home(found) and not _is_home(asked)):
        return Judgement("missing", "page_redirected")
    if is_not_found(page):
        return Judgement("missing", "page_gone")
    if page.outbound == 0 and page.words < WORDS_MIN:
        return Judgement("unknown", "thin")
    others = {key: link for key, link in page.links.items() if is_ours is not None and is_ours(link.url)}
    return Judgement("missing", "retargeted" if others else "removed", others=others, about=page.about)


def _is_home(canonical_url: str) -> bool:
    path = urlsplit(canonical_url).path.strip("/")
    return not path or (
        "/" not in path and len(path) in _LANGUAGE_LENGTHS and path[:2].isalpha() and path[2:3] in ("", "-", "_")
    )


def _canonical(url: str) -> str:
    try:
        return canonicalize(url)
    except InvalidUrl:
        return url


def _domain(url: str) -> str:
    try:
        return referring_domain(canonicalize(url))
    except InvalidUrl:
        return ""
