"""When a reader last looked."""

from hypothesis import given
from hypothesis import strategies as st

from flatline.page.looked import Looked

_MINUTE_MS = 60_000
_NOW_MS = 1_790_000_000_000


def test_a_new_reader_has_not_looked_before() -> None:
    """To them, nothing is new."""
    assert Looked.again(None, now_ms=_NOW_MS) == (None, _NOW_MS)


def test_a_look_lasts_while_somebody_reads() -> None:
    """What is new stays new from page to page, and is known at the next look."""
    first = Looked.again(None, now_ms=_NOW_MS)
    second = Looked.again(first.cookie, now_ms=_NOW_MS + 600 * _MINUTE_MS)
    assert second.before_ms == _NOW_MS
    reading = Looked.again(second.cookie, now_ms=_NOW_MS + 610 * _MINUTE_MS)
    assert reading.before_ms == _NOW_MS
    assert Looked.again(reading.cookie, now_ms=_NOW_MS + 700 * _MINUTE_MS).before_ms == _NOW_MS + 600 * _MINUTE_MS


@given(st.text() | st.from_regex(r"[0-9٣]{0,15}\.[0-9٣]{0,15}", fullmatch=True))
def test_any_cookie_is_read_or_left(cookie: str) -> None:
    """Whatever a browser sends, no look lies in the future."""
    looked = Looked.again(cookie, now_ms=_NOW_MS)
    assert looked.last_ms <= _NOW_MS
    assert Looked.again(looked.cookie, now_ms=_NOW_MS) == looked
