"""Links of pages in HTML, as an independent parser sees them, and their encodings."""

from urllib.parse import urljoin

import pytest
from bs4 import BeautifulSoup, Tag
from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.urls.canonical import canonicalize
from flatline_connectors.pages.links import html_text, read_html
from flatline_connectors.sites import on_sites

URL = "https://theirs.example/p/"
IS_OURS = on_sites(["yours.example"])

pieces = st.lists(
    st.sampled_from(
        [
            "<a href='https://yours.example/a'>",
            "<a rel='nofollow UGC' href=//yours.example/b#x>",
            "<A HREF=' https://YOURS.example/a '>",
            "<a href='/own'>",
            "<a name=x>",
            "<area href=https://yours.example/c>",
            "</a>",
            "<p>",
            "</p>",
            "<b>",
            "</b>",
            "text",
            "<!--",
            "-->",
            "<!-->",
            "<script>",
            "</script>",
            "<style>",
            "</style>",
            "<textarea>",
            "</textarea>",
            "<title>",
            "</title>",
            "<table><td>",
            "</table>",
            "<svg>",
            "</svg>",
            "&lt;a href='https://yours.example/d'&gt;",
            "\x00",
        ]
    ),
    max_size=12,
)


@given(pieces)
def test_links_are_those_that_browsers_see(parts: list[str]) -> None:
    """Two parsers that follow the standard find the same links in whatever somebody wrote."""
    html = "".join(parts)
    soup = BeautifulSoup(html, "html5lib")
    expected = {
        canonicalize(address)
        for element in soup.find_all(["a", "area"], href=True)
        if isinstance(element, Tag) and IS_OURS(address := urljoin(URL, str(element["href"]).strip()))
    }
    assert set(read_html(html, URL, is_wanted=IS_OURS).links) == expected


def test_several_links_to_one_target() -> None:
    """They are one link, which is followed if one of them is, and has the first text."""
    html = (
        "<a rel='ugc nofollow' href='https://yours.example/a'><img src=x></a>"
        "<a rel=nofollow href='https://www.yours.example/a'>the  text</a>"
    )
    (link,) = read_html(html, URL, is_wanted=IS_OURS).links.values()
    assert (link.anchor, link.rel) == ("the text", ("nofollow",))


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        ("ä".encode(), None),
        ("ä".encode(), "utf-8"),
        ("ä".encode("latin-1"), "iso-8859-1"),
        ("ä".encode("latin-1"), "no-such-charset"),
        (b"<meta charset=iso-8859-1>" + "ä".encode("latin-1"), None),
        ("\ufeffä".encode("utf-16-le"), None),
    ],
)
def test_encodings(body: bytes, charset: str | None) -> None:
    """A page is decoded as its server or itself says, and anyhow."""
    assert html_text(body, charset)[-1] == "ä"
