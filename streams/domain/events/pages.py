"""The kind of the page that links: as the event says, else guessed from title and URL, else unknown."""

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from flatline.schema.link_event import Page

DECLARED: Final = 1.0  # the page, or who sent the event, says so
GUESSED: Final = 0.6  # words of its title or URL say so

_TITLES_REMEMBERED: Final = 16_384


class PageKind(StrEnum):
    """Kinds of pages that say different things about a link."""

    UNKNOWN = "unknown"
    ARTICLE = "article"
    NEWS = "news"
    LIST = "list"
    FORUM = "forum"
    DIRECTORY = "directory"
    INTERVIEW = "interview"
    GUEST_POST = "guest post"
    SPONSORED = "sponsored"


class Reading(NamedTuple):
    """What kind a page is taken for, and how sure that is: 0 to 1."""

    kind: PageKind
    confidence: float


_SPECIAL: Final = (
    PageKind.LIST,
    PageKind.FORUM,
    PageKind.DIRECTORY,
    PageKind.INTERVIEW,
    PageKind.GUEST_POST,
    PageKind.SPONSORED,
)

READINGS: Final = (
    Reading(PageKind.UNKNOWN, 0.0),
    Reading(PageKind.ARTICLE, GUESSED),
    Reading(PageKind.NEWS, GUESSED),
    Reading(PageKind.ARTICLE, DECLARED),
    Reading(PageKind.NEWS, DECLARED),
    *(Reading(kind, GUESSED) for kind in _SPECIAL),
    *(Reading(kind, DECLARED) for kind in _SPECIAL),
)
"""Of two readings the one further down counts. An article or news can be more than that (schema.org has no type for an
interview), so a guess goes beyond them; otherwise what is declared goes before what is guessed. The places are stored
with links, so none is removed: a list is no longer guessed, and its place as a guess stays."""

UNKNOWN: Final = 0
_PLACE: Final = {reading: place for place, reading in enumerate(READINGS)}

# schema.org types first, then the words that vendors and people use; letter case and all but letters left out.
_TYPES: Final = {
    PageKind.ARTICLE: "article blogposting techarticle scholarlyarticle report blog blogpost post",
    PageKind.NEWS: "newsarticle analysisnewsarticle askpublicnewsarticle backgroundnewsarticle opinionnewsarticle "
    "reportagenewsarticle reviewnewsarticle news",
    PageKind.LIST: "itemlist collectionpage list roundup newsletter",
    PageKind.FORUM: "discussionforumposting qapage question answer socialmediaposting forum thread discussion",
    PageKind.DIRECTORY: "directory businessdirectory webdirectory",
    PageKind.INTERVIEW: "interview",
    PageKind.GUEST_POST: "guestpost guestarticle contributorpost guestblogpost",
    PageKind.SPONSORED: "advertisercontentarticle sponsored sponsoredpost sponsoredcontent advertorial",
}
_BY_TYPE: Final = {name: kind for kind, names in _TYPES.items() for name in names.split()}

# Not of lists: half of the titles that sound like one (“Top 10 …”, “Awesome …”) are single articles.
_TITLE_PATTERNS: Final = {
    PageKind.SPONSORED: r"\[(?:sponsored|ad)\]|^sponsored ?[:|]|\bsponsored (?:post|content|article|by)\b"
    r"|\badvertorial\b|\bpaid (?:post|partnership|content)\b|\bbranded content\b|^anzeige:",
    PageKind.GUEST_POST: r"\b(?:guest|contributor)[ -](?:post|article|blog|column|author|contribution|essay|writer)\b"
    r"|\bgastbeitrag\b",
    PageKind.INTERVIEW: r"\binterview (?:with|mit|avec) |^(?:an )?interview ?[:|]|\binterview(?:ed by| series)\b"
    r"|\bin conversation with\b|\bq ?& ?a with\b|\bentrevista (?:a|con)\b|\bentretien avec\b",
    PageKind.DIRECTORY: r"\b(?:web|business|link|company|startup) director(?:y|ies)\b",
}

# What one prepares for a job with.
_NO_INTERVIEW: Final = re.compile(
    r"\b(?:coding|job|technical|mock)[ -]interview|\binterview[ -](?:question|prep|tip)|\bleetcode\b", re.IGNORECASE
)

# Names of folders that hold the page.
_FOLDERS: Final = {
    PageKind.SPONSORED: "sponsored sponsored-content sponsored-posts advertorial advertorials paid-posts",
    PageKind.GUEST_POST: "guest-post guest-posts guest-blog guest-articles guest-authors guest-columns",
    PageKind.INTERVIEW: "interviews",  # in a folder "interview" one prepares for a job as often
    PageKind.FORUM: "forum forums thread threads",
    PageKind.DIRECTORY: "web-directory business-directory link-directory webdirectory directory-listings",
    PageKind.NEWS: "news",
    PageKind.ARTICLE: "blog",
}
_HOSTS: Final = {
    PageKind.FORUM: "news.ycombinator.com reddit.com www.reddit.com old.reddit.com stackoverflow.com www.quora.com "
    "superuser.com serverfault.com askubuntu.com lobste.rs",
}
_SUBDOMAINS: Final = {
    "forum.": PageKind.FORUM,
    "forums.": PageKind.FORUM,
    "discuss.": PageKind.FORUM,
    "discourse.": PageKind.FORUM,
    "community.": PageKind.FORUM,
    "news.": PageKind.NEWS,
    "blog.": PageKind.ARTICLE,
}
INTERVIEW_SLUG: Final = "interview-with-"
_BY_NAME: Final = {
    name: kind for kinds in (_FOLDERS, _HOSTS) for kind, names in kinds.items() for name in names.split()
}


def _trie(names: Iterable[str]) -> str:
    """Return a pattern for any of these names, by first letters: it is sought in each URL that comes."""
    by_letter = {name[0]: [each[1:] for each in names if each[0] == name[0]] for name in names}
    return "|".join(f"{letter}(?:{'|'.join(map(re.escape, rest))})" for letter, rest in by_letter.items())


TELLING_NAMES: Final = (*_BY_NAME, *_SUBDOMAINS)
"""What hosts and folders begin with that may say what kind a page is."""
is_url_telling: Final = re.compile(f"/(?:{_trie(TELLING_NAMES)})").search
"""Whether a URL may say anything of its page; beside `INTERVIEW_SLUG`, which may stand anywhere in it."""

_TITLE: Final = re.compile(
    "|".join(f"(?P<{kind.name}>{pattern})" for kind, pattern in _TITLE_PATTERNS.items()), re.IGNORECASE
).search


def place_of(page: Page | None, url: str) -> int:
    """Return the place in READINGS of what can be said of a page."""
    place = _guessed_from_url(url) if is_url_telling(url) or INTERVIEW_SLUG in url else UNKNOWN
    if page is not None:
        if page.title:
            place = max(place, _guessed_from_title(page.title))
        if page.type:
            place = max(place, _declared(page.type))
    return place


def _declared(types: str) -> int:
    """Read a schema.org type, with or without its address, or a word for it."""
    kind = _BY_TYPE.get(re.sub(r"[\W_]", "", types.rpartition("/")[2].lower()))
    return UNKNOWN if kind is None else _PLACE[Reading(kind, DECLARED)]


@lru_cache(_TITLES_REMEMBERED)
def _guessed_from_title(title: str) -> int:
    found = _TITLE(title)
    if found is None or found.lastgroup is None:
        return UNKNOWN
    kind = PageKind[found.lastgroup]
    if kind is PageKind.INTERVIEW and _NO_INTERVIEW.search(title):
        return UNKNOWN
    return _PLACE[Reading(kind, GUESSED)]


def _guessed_from_url(url: str) -> int:
    _, _, address = url.partition("//")
    host, *folders = address.split("/")[:-1] or [address]
    kinds = {_BY_NAME[name] for name in (host, *folders) if name in _BY_NAME}
    kinds |= {kind for name, kind in _SUBDOMAINS.items() if host.startswith(name) and host not in _BY_NAME}
    if INTERVIEW_SLUG in url:
        kinds.add(PageKind.INTERVIEW)
    if _NO_INTERVIEW.search(url):
        kinds.discard(PageKind.INTERVIEW)
    return max((_PLACE[Reading(kind, GUESSED)] for kind in kinds), default=UNKNOWN)
