"""Whether a source links to a target: exactly that address, as browsers resolve it, and nothing that looks like it."""

import pytest

from flatline_connectors.webmention.links import FoundLink, HtmlPage, link_in_json, link_in_text
from flatline_connectors.webmention.microformats import Entry, entry_of
from tests.connectors.webmention.receiving import TARGET

PAGE = "https://notes.example/2026/slow"


def page(body: str) -> HtmlPage:
    """Return a page."""
    return HtmlPage(body.encode(), url=PAGE, charset="utf-8")


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (f'<a href="{TARGET}">a guide</a>', FoundLink("a guide", ())),
        (f"<A HREF='{TARGET}' REL='UGC nofollow'>a <b>guide</b></A>", FoundLink("a guide", ("nofollow", "ugc"))),
        ('<a href="HTTPS://PUB.example:443/guides/./slow-tomatoes">x</a>', FoundLink("x", ())),
        ('<a href="//pub.example/guides/slow-tomatoes">x</a>', FoundLink("x", ())),
        ('<base href="https://pub.example/a/"><a href="../guides/slow-tomatoes">x</a>', FoundLink("x", ())),
        (f'<a href="&#104;ttps:{TARGET[6:]}">x</a>', FoundLink("x", ())),
        (f'<a href=" {TARGET}\n">x</a>', FoundLink("x", ())),
        (f'<a rel=nofollow href="{TARGET}"><img src=x alt="red"></a><a href="{TARGET}">x</a>', FoundLink("x", ())),
        (f'<a href="{TARGET}"><img src=x alt="a red tomato"></a>', FoundLink("a red tomato", ())),
        (f'<img src="{TARGET}" alt="red">', FoundLink("red", None, ("image",))),
        (f'<video src="{TARGET}">', FoundLink("", None)),
        (f'<iframe src="{TARGET}">', FoundLink("", None, ("frame",))),
        (f'<blockquote cite="{TARGET}">', FoundLink("", None)),
        (f'<!-- <a href="{TARGET}">x</a> -->', None),
        (f"<pre>&lt;a href=&quot;{TARGET}&quot;&gt;</pre>", None),
        (f'<script>"<a href=\\"{TARGET}\\">"</script>', None),
        (f'<textarea><a href="{TARGET}">x</a></textarea>', None),
        (f'<a href="{TARGET}-extended">x</a>', None),
        (f'<a href="{TARGET}/">x</a>', None),
        (f'<a href="{TARGET}?a=1">x</a>', None),
        (f'<a href="https://other.example/?u={TARGET}">x</a>', None),
        (f'<a href="http://{TARGET[8:]}">x</a>', None),
        (f'<a title="{TARGET}">x</a>', None),
        (f'<link rel="canonical" href="{TARGET}">', None),
        (TARGET, None),
        ("", None),
    ],
)
def test_html(body: str, found: FoundLink | None) -> None:
    """Comments, escaped HTML, scripts, text and near misses do not count."""
    assert page(body).link_to(TARGET) == found


@pytest.mark.parametrize(
    ("body", "is_found"),
    [
        (f'{{"a":[{{"url":"{TARGET}"}}]}}', True),
        (f'{{"a":"see {TARGET}"}}', False),
        (f'{{"{TARGET}":1}}', False),
    ],
)
def test_json(body: str, is_found: bool) -> None:
    """A property has exactly this value."""
    assert (link_in_json(body.encode(), TARGET) is not None) is is_found


@pytest.mark.parametrize(
    ("body", "is_found"),
    [
        (f"I read <{TARGET}>.", True),
        (f"See {TARGET}, it is good.", True),
        (f"See {TARGET}-extended", False),
        (f"See {TARGET}/more", False),
    ],
)
def test_text(body: str, is_found: bool) -> None:
    """The whole address is written there."""
    assert (link_in_text(body.encode(), TARGET, charset=None) is not None) is is_found


def test_deep_and_broken_pages() -> None:
    """A page that is nested without end, or has a charset that nobody knows, is read as far as it can be."""
    deep = HtmlPage(b"<div>" * 3_000 + f'<a href="{TARGET}">x</a>'.encode(), url=PAGE, charset="no-such-charset")
    assert deep.link_to(TARGET) == FoundLink("x", ())
    assert entry_of(deep, target=TARGET) == Entry()


@pytest.mark.parametrize(
    ("meta", "is_gone"),
    [
        ('<meta http-equiv="Status" content="410 GONE">', True),
        ("<meta http-equiv=status content=410>", True),
        ('<meta http-equiv="Status" content="4100">', False),
        ('<meta name="Status" content="410 GONE">', False),
    ],
)
def test_pages_that_say_they_are_deleted(meta: str, is_gone: bool) -> None:
    """A meta element says what the server can't."""
    assert page(meta).is_gone is is_gone


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        (f'<a class="u-in-reply-to" href="{TARGET}">', "in-reply-to"),
        (f'<a class="u-like-of" href="{TARGET}">', "like-of"),
        (f'<div class="u-repost-of h-cite"><a class="u-url" href="{TARGET}">x</a></div>', "repost-of"),
        (f'<a class="u-bookmark-of" href="{TARGET}">', "bookmark-of"),
        (f'<a class="u-in-reply-to" href="https://other.example/">x</a><a href="{TARGET}">', "mention"),
    ],
)
def test_kinds_of_mentions(entry: str, kind: str) -> None:
    """What the entry says of this target, and not of another."""
    assert entry_of(page(f'<div class="h-entry">{entry}</div>'), target=TARGET).kind == kind


@pytest.mark.parametrize("published", ["yesterday", "2026", "0001-01-01T00:00:00+14:00", ""])
def test_dates_that_are_none(published: str) -> None:
    """A page may say what it likes."""
    entry = entry_of(page(f'<div class="h-entry"><time class="dt-published">{published}</time></div>'), target=TARGET)
    assert entry.published_at is None
