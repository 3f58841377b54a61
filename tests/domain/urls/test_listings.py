"""Pages that list others stand for one."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flatline.domain.urls.canonical import canonicalize
from flatline.domain.urls.fingerprints import lists_others, referrer
from flatline.domain.urls.listings import MAY_LIST, listing


@pytest.mark.parametrize(
    ("url", "stands_for"),
    [
        ("https://a.example/page/2", "https://a.example/"),
        ("https://a.example/?page=3", "https://a.example/"),
        ("https://a.example/blog/page/2", "https://a.example/blog"),
        ("https://a.example/blog?paged=2", "https://a.example/blog"),
        ("https://a.example/thread?id=5&page=3", "https://a.example/thread?id=5"),
        ("https://a.example/thread?page=3&id=5", "https://a.example/thread?id=5"),
        ("https://a.example/tag/tools", "https://a.example/"),
        ("https://a.example/blog/tags/tools/page/4", "https://a.example/"),
        ("https://a.example/category/tools", "https://a.example/"),
        ("https://a.example/author/ann", "https://a.example/"),
        ("https://a.example/feed", "https://a.example/"),
        ("https://a.example/blog/rss.xml", "https://a.example/"),
        ("https://a.example/tag/tools/feed", "https://a.example/"),
        ("https://a.example/post/print", "https://a.example/post"),
        ("https://a.example/post?print=1", "https://a.example/post"),
        ("https://a.example/post", None),
        ("https://a.example/", None),
        ("https://a.example/tag", None),
        ("https://a.example/page/about", None),
        ("https://a.example/page/2/notes", None),
        ("https://a.example/?page=about", None),
        ("https://a.example/post?homepage=3", None),
        ("https://a.example/category/tools/a-post", None),
        ("https://a.example/printers", None),
    ],
)
def test_what_stands_for_a_page(url: str, stands_for: str | None) -> None:
    """Other pages of the same thread and the front page are told apart; what only looks like a list is a page."""
    assert canonicalize(url) == url
    assert listing(url) == stands_for
    assert lists_others(url) == (stands_for is not None)
    assert referrer(url) == referrer(stands_for or url)


@given(
    st.lists(
        st.sampled_from(
            ["/", "page", "2", "tag", "x", "feed", ".xml", "rss", "print", "?", "&", "=", "paged", "author", "category"]
        ),
        max_size=12,
    ).map("".join)
)
@example("print?/")
@example("print??")
def test_what_stands_for_others_stands(path: str) -> None:
    """It is canonical, and only what the quick look finds lists anything."""
    url = canonicalize(f"https://a.example/{path}")
    place = listing(url)
    if place is None:
        return
    assert MAY_LIST(url)
    assert canonicalize(place) == place
