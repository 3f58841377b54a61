"""What kind of page links: one clue a row, and what is no clue."""

from urllib.parse import urlsplit

import pytest

from flatline.domain.events import pages
from flatline.domain.events.pages import DECLARED, GUESSED, READINGS, PageKind, Reading
from flatline.schema.link_event import Page

URL = "https://site.example/2026/05/a-page"


def _read(url: str = URL, title: str | None = None, type_: str | None = None) -> Reading:
    return READINGS[pages.place_of(Page(title=title, type=type_), url)]


@pytest.mark.parametrize(
    ("declared", "kind"),
    [
        ("NewsArticle", PageKind.NEWS),
        ("https://schema.org/NewsArticle", PageKind.NEWS),
        ("http://schema.org/DiscussionForumPosting", PageKind.FORUM),
        ("QAPage", PageKind.FORUM),
        ("BlogPosting", PageKind.ARTICLE),
        ("AdvertiserContentArticle", PageKind.SPONSORED),
        ("ItemList", PageKind.LIST),
        ("interview", PageKind.INTERVIEW),
        ("Guest post", PageKind.GUEST_POST),
        ("guest_post", PageKind.GUEST_POST),
        ("Business directory", PageKind.DIRECTORY),
    ],
)
def test_declared(declared: str, kind: PageKind) -> None:
    """Types of schema.org, and the words that people use, are believed."""
    assert _read(type_=declared) == (kind, DECLARED)


@pytest.mark.parametrize(
    ("title", "kind", "why"),
    [
        ("Interview with Ada Lovelace", PageKind.INTERVIEW, "says so"),
        ("Engines that think: an interview with Ada Lovelace", PageKind.INTERVIEW, "says so later"),
        ("In conversation with Ada Lovelace", PageKind.INTERVIEW, "says so in other words"),
        ("Q&A with Ada Lovelace", PageKind.INTERVIEW, "and in others"),
        ("50 interview questions for analysts", PageKind.UNKNOWN, "prepares for a job"),
        ("The coding interview with examples", PageKind.UNKNOWN, "that, too"),
        ("How I failed my interview", PageKind.UNKNOWN, "tells of one"),
        ("Guest post: how engines think", PageKind.GUEST_POST, "says so"),
        ("How to treat a guest", PageKind.UNKNOWN, "is about guests"),
        ("[Sponsored] Engines of tomorrow", PageKind.SPONSORED, "says so"),
        ("Sponsored by Engines Ltd.: what is next", PageKind.SPONSORED, "says so"),
        ("How we sponsored a conference", PageKind.UNKNOWN, "tells of sponsoring"),
        ("Top 10 engines of 1843", PageKind.UNKNOWN, "half of such titles are single articles"),
        ("25 best tools for engine drivers", PageKind.UNKNOWN, "half of such titles are single articles"),
        ("Awesome engines", PageKind.UNKNOWN, "half of such titles are single articles"),
        ("An awesome engine", PageKind.UNKNOWN, "is glad"),
        ("Startup directory", PageKind.DIRECTORY, "says so"),
        ("How engines think", PageKind.UNKNOWN, "says nothing"),
    ],
)
def test_titles(title: str, kind: PageKind, why: str) -> None:
    """Titles are guessed from; one that says nothing is no article, but unknown."""
    assert _read(title=title) == (kind, GUESSED if kind is not PageKind.UNKNOWN else 0.0), why


@pytest.mark.parametrize(
    ("url", "kind", "why"),
    [
        ("https://site.example/interviews/ada-lovelace", PageKind.INTERVIEW, "in a folder of them"),
        ("https://site.example/2026/an-interview-with-ada-lovelace", PageKind.INTERVIEW, "says so"),
        ("https://site.example/interview/ada", PageKind.UNKNOWN, "may prepare for a job"),
        ("https://site.example/interviews/leetcode", PageKind.UNKNOWN, "prepares for a job"),
        ("https://site.example/interviews", PageKind.UNKNOWN, "the folder itself"),
        ("https://site.example/interview-with-tips/interview-questions", PageKind.UNKNOWN, "prepares for a job"),
        ("https://site.example/blog/guest-posts/engines", PageKind.GUEST_POST, "in a folder of them, within the blog"),
        ("https://site.example/sponsored/engines", PageKind.SPONSORED, "in a folder of them"),
        ("https://site.example/blog/engines", PageKind.ARTICLE, "in a blog"),
        ("http://blog.site.example/engines", PageKind.ARTICLE, "in a blog, by its subdomain"),
        ("https://blogger.example/engines", PageKind.UNKNOWN, "is no subdomain of that name"),
        ("https://news.site.example/engines", PageKind.NEWS, "by its subdomain"),
        ("https://news.ycombinator.com/item?id=1", PageKind.FORUM, "known as a forum, whatever its subdomain"),
        ("https://site.example/news/engines", PageKind.NEWS, "in a folder of them"),
        ("https://site.example/newsroom/engines", PageKind.UNKNOWN, "is another folder"),
        ("https://forum.site.example/t/engines/12", PageKind.FORUM, "by its subdomain"),
        ("https://site.example/forums/engines/12", PageKind.FORUM, "in a folder of them"),
        ("https://site.example/business-directory/engines", PageKind.DIRECTORY, "in a folder of them"),
        ("https://site.example/awesome-engines/readme", PageKind.UNKNOWN, "a name says little"),
        ("https://site.example/awesome-engines", PageKind.UNKNOWN, "could be a post about them"),
        (URL, PageKind.UNKNOWN, "says nothing"),
        ("https:", PageKind.UNKNOWN, "is hardly a URL"),
    ],
)
def test_urls(url: str, kind: PageKind, why: str) -> None:
    """URLs are guessed from."""
    assert READINGS[pages.place_of(None, url)] == (kind, GUESSED if kind is not PageKind.UNKNOWN else 0.0), why


@pytest.mark.parametrize(
    ("declared", "title", "expected", "why"),
    [
        ("NewsArticle", "Interview with Ada", Reading(PageKind.INTERVIEW, GUESSED), "schema.org has no interview"),
        ("Article", "Guest post: engines", Reading(PageKind.GUEST_POST, GUESSED), "a guest post is an article"),
        ("DiscussionForumPosting", "Interview with Ada", Reading(PageKind.FORUM, DECLARED), "it says what it is"),
        ("AdvertiserContentArticle", "Interview with Ada", Reading(PageKind.SPONSORED, DECLARED), "paid for"),
        ("WebPage", "Interview with Ada", Reading(PageKind.INTERVIEW, GUESSED), "a type that says nothing"),
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
