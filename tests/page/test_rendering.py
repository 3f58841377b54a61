"""How texts, numbers and times are written."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.page.rendering import ago, is_web, shortened, with_query

_NOW = datetime(2026, 11, 28, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(seconds=20), "now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=5, minutes=59), "5 hours ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=59), "59 days ago"),
        (timedelta(days=90), "2 months ago"),
        (timedelta(days=800), "2 years ago"),
        (timedelta(days=-2), "in 2 days"),
    ],
)
def test_how_long_ago(length: timedelta, words: str) -> None:
    """In the largest unit of which there are enough."""
    assert ago(_NOW - length, _NOW) == words


def test_a_date_of_today_is_today() -> None:
    """A date has no time of day."""
    assert ago(date(2026, 11, 28), _NOW) == "today"
    assert ago(date(2026, 11, 27), _NOW) == "1 day ago"


@pytest.mark.parametrize(
    ("url", "may_be_a_link"),
    [
        ("https://elsewhere.example/a?b=c", True),
        ("http://elsewhere.example", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        ("data:text/html,<script>", False),
        ("//elsewhere.example/", False),
        ("/article", False),
        ("https://[", False),
        ("", False),
    ],
)
def test_what_may_be_a_link(url: str, may_be_a_link: bool) -> None:
    """Only addresses of web pages: a browser would run some of the others."""
    assert is_web(url) is may_be_a_link


@given(st.text(), st.integers(1, 50))
def test_a_shortened_text_fits_on_its_line(text: str, characters_max: int) -> None:
    """Whatever it holds."""
    line = shortened(text, characters_max)
    assert len(line) <= characters_max
    assert "\n" not in line


def test_a_query_has_what_is_said() -> None:
    """Escaped; what is empty is left out."""
    assert with_query("/articles", q="a&b", state="", after=None) == "/articles?q=a%26b"
    assert with_query("/articles", q="") == "/articles"
