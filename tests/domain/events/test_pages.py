"""What kind of page links: one clue a row, and what is no clue."""

from urllib.parse import urlsplit

import pytest

from flatline.domain.events import pages
from flatline.domain.events.pages import DECLARED, GUESSED, READINGS, Kind, Reading
from flatline.schema.link_event import Page

URL = "https://site.example/2026/05/a-page"


def _read(url: str = URL, title: str | None = None, type_: str | None = None) -> Reading:
    return READINGS[pages.place_of(Page(title=title, type=type_), url)]


@pytest.mark.parametrize(
    ("declared", "kind"),
    [
        ("NewsArticle", Kind.NEWS),
        ("https://schema.org/NewsArticle", Kind.NEWS),
        ("http://schema.org/DiscussionForumPosting", Kind.FORUM),
        ("QAPage", Kind.FORUM),
        ("BlogPosting", Kind.ARTICLE),
        ("AdvertiserContentArticle", Kind.SPONSORED),
        ("ItemList", Kind.LIST),
        ("interview", Kind.INTERVIEW),
        ("Guest post", Kind.GUEST_POST),
        ("guest_post", Kind.GUEST_POST),
        ("Business directory", Kind.DIRECTORY),
    ],
)
def test_declared(declared: str, kind: Kind) -> None:
    """Types of schema.org, and the words that people use, are believed."""
    assert _read(type_=declared) == (kind, DECLARED)


@pytest.mark.parametrize(
    ("title", "kind", "why"),
    [
        ("Interview with Ada Lovelace", Kind.INTERVIEW, "says so"),
        ("Engines that think: an interview with Ada Lovelace", Kind.INTERVIEW, "says so later"),
        ("In conversation with Ada Lovelace", Kind.INTERVIEW, "says so in other words"),
        ("Q&A with Ada Lovelace", Kind.INTERVIEW, "and in others"),
        ("50 interview questions for analysts", Kind.UNKNOWN, "prepares for a job"),
        ("The coding interview with examples", Kind.UNKNOWN, "that, too"),
        ("How I failed my interview", Kind.UNKNOWN, "tells of one"),
        ("Guest post: how engines think", Kind.GUEST_POST, "says so"),
        ("How to treat a guest", Kind.UNKNOWN, "is about guests"),
        ("[Sponsored] Engines of tomorrow", Kind.SPONSORED, "says so"),
        ("Sponsored by Engines Ltd.: what is next", Kind.SPONSORED, "says so"),
        ("How we sponsored a conference", Kind.UNKNOWN, "tells of sponsoring"),
        ("Top 10 engines of 1843", Kind.LIST, "counts"),
        ("25 best tools for engine drivers", Kind.LIST, "counts"),
        ("Awesome engines", Kind.LIST, "as such lists are called"),
        ("An awesome engine", Kind.UNKNOWN, "is glad"),
        ("Startup directory", Kind.DIRECTORY, "says so"),
        ("How engines think", Kind.UNKNOWN, "says nothing"),
    ],
)
def test_titles(title: str, kind: Kind, why: str) -> None:
    """Titles are guessed from; one that says nothing is no article, but unknown."""
    assert _read(title=title) == (kind, GUESSED if kind is not Kind.UNKNOWN else 0.0), why


@pytest.mark.parametrize(
    ("url", "kind", "why"),
    [
        ("https://site.example/interviews/ada-lovelace", Kind.INTERVIEW, "in a folder of them"),
        ("https://site.example/2026/an-interview-with-ada-lovelace", Kind.INTERVIEW, "says so"),
        ("https://site.example/interview/ada", Kind.UNKNOWN, "may prepare for a job"),
        ("https://site.example/interviews/leetcode", Kind.UNKNOWN, "prepares for a job"),
        ("https://site.example/interviews", Kind.UNKNOWN, "the folder itself"),
        ("https://site.example/interview-with-tips/interview-questions", Kind.UNKNOWN, "prepares for a job"),
        ("https://site.example/blog/guest-posts/engines", Kind.GUEST_POST, "in a folder of them, within the blog"),
        ("https://site.example/sponsored/engines", Kind.SPONSORED, "in a folder of them"),
        ("https://site.example/blog/engines", Kind.ARTICLE, "in a blog"),
        ("http://blog.site.example/engines", Kind.ARTICLE, "in a blog, by its subdomain"),
        ("https://blogger.example/engines", Kind.UNKNOWN, "is no subdomain of that name"),
        ("https://news.site.example/engines", Kind.NEWS, "by its subdomain"),
        ("https://news.ycombinator.com/item?id=1", Kind.FORUM, "known as a forum, whatever its subdomain"),
        ("https://site.example/news/engines", Kind.NEWS, "in a folder of them"),
        ("https://site.example/newsroom/engines", Kind.UNKNOWN, "is another folder"),
        ("https://forum.site.example/t/engines/12", Kind.FORUM, "by its subdomain"),
        ("https://site.example/forums/engines/12", Kind.FORUM, "in a folder of them"),
        ("https://site.example/business-directory/engines", Kind.DIRECTORY, "in a folder of them"),
        ("https://site.example/awesome-engines/readme", Kind.LIST, "as such lists are called"),
        ("https://site.example/awesome-engines", Kind.UNKNOWN, "could be a post about them"),
        (URL, Kind.UNKNOWN, "says nothing"),
        ("https:", Kind.UNKNOWN, "is hardly a URL"),
    ],
)
def test_urls(url: str, kind: Kind, why: str) -> None:
    """URLs are guessed from."""
    assert READINGS[pages.place_of(None, url)] == (kind, GUESSED if kind is not Kind.UNKNOWN else 0.0), why


@pytest.mark.parametrize(
    ("declared", "title", "expected", "why"),
    [
        ("NewsArticle", "Interview with Ada", Reading(Kind.INTERVIEW, GUESSED), "schema.org has no interview"),
        ("Article", "Guest post: engines", Reading(Kind.GUEST_POST, GUESSED), "a guest post is an article"),
        ("DiscussionForumPosting", "Interview with Ada", Reading(Kind.FORUM, DECLARED), "it says what it is"),
        ("AdvertiserContentArticle", "Interview with Ada", Reading(Kind.SPONSORED, DECLARED), "paid for"),
        ("WebPage", "Interview with Ada", Reading(Kind.INTERVIEW, GUESSED), "a type that says nothing"),
    ],
)
def test_clues_together(declared: str, title: str, expected: Reading, why: str) -> None:
    """What is declared goes before what is guessed, but an article can be more than that."""
    assert _read(title=title, type_=declared) == expected, why


def test_every_kind_can_be_read() -> None:
    """No kind is out of reach, and the fast look misses none of the folders and hosts."""
    for table in (pages._FOLDERS, pages._HOSTS):
        for kind, names in table.items():
            for name in names.split():
                url = f"https://{name}/a" if table is pages._HOSTS else f"https://site.example/{name}/a"
                assert urlsplit(url).netloc
                assert READINGS[pages.place_of(None, url)] == (kind, GUESSED), url
