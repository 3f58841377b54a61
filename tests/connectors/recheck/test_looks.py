"""How many looks a verdict takes, and when the next one is due."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline_connectors.recheck.judging import Judgement
from flatline_connectors.recheck.looks import Look, after_look

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LIVE = Judgement("live")
MISSING = Judgement("missing", "removed")
NO_DOMAIN = Judgement("missing", "domain_gone")
WALL = Judgement("unknown", "wall")
FAULT = Judgement("unknown", "unreachable", is_server_error=True)
TIMEOUT = Judgement("unknown", "unreachable")


def looked(*looks: tuple[float, Judgement]) -> list[str]:
    """Return the verdicts of looks, each so many days after the beginning."""
    verdicts: list[str] = []
    look: Look | None = None
    for day, judgement in looks:
        verdict, _, look = after_look(judgement, look, NOW + timedelta(days=day))
        verdicts.append(verdict)
    return verdicts


def test_a_link_that_is_missing_gets_a_second_look() -> None:
    """A day later; to be seen in between, or to fail to read the page, are no loss."""
    assert looked((0, MISSING), (0.9, MISSING), (1, MISSING)) == ["suspect", "suspect", "lost"]
    assert looked((0, MISSING), (1, LIVE), (2, MISSING)) == ["suspect", "live", "suspect"]
    assert looked((0, MISSING), (1, WALL), (2, MISSING)) == ["suspect", "unknown", "lost"]
    assert looked((0, Judgement("gone", "page_gone"))) == ["lost"]


def test_a_domain_takes_three_looks_over_nine_days() -> None:
    """Looks at a page that was there, but without the link, are none of these."""
    assert looked((0, NO_DOMAIN), (4, NO_DOMAIN), (8.9, NO_DOMAIN), (9, NO_DOMAIN))[-2:] == ["suspect", "lost"]
    assert looked((0, NO_DOMAIN), (9, NO_DOMAIN), (9.1, NO_DOMAIN))[-2:] == ["suspect", "lost"]
    assert looked((0, MISSING), (1, NO_DOMAIN), (2, NO_DOMAIN), (9, NO_DOMAIN))[-1] == "suspect"


def test_a_server_that_fails_for_two_weeks_has_lost_the_page() -> None:
    """By errors that it answers with, none of them long ago alone; any other outcome begins anew."""
    days = [0, 1, 2, 7, 13.9, 14]
    assert looked(*((day, FAULT) for day in days)) == ["unknown"] * 5 + ["lost"]
    assert looked(*((day, FAULT) for day in (0, 14, 15, 16))) == ["unknown"] * 4
    assert looked(*((day, TIMEOUT if day == 2 else FAULT) for day in days))[-1] == "unknown"


@given(looks=st.lists(st.tuples(st.floats(0, 3), st.sampled_from([WALL, TIMEOUT])), max_size=40))
def test_what_cannot_be_read_is_never_lost(looks: list[tuple[float, Judgement]]) -> None:
    """However often, and whatever the time in between."""
    day, at = 0.0, []
    for pause, judgement in looks:
        day += pause
        at.append((day, judgement))
    assert set(looked(*at)) <= {"unknown"}


@pytest.mark.parametrize(("judgement", "hours"), [(TIMEOUT, [1, 6, 24, 72, 72]), (WALL, [24, 72, 168, 336, 720, 720])])
def test_what_cannot_be_read_is_asked_for_less_and_less(judgement: Judgement, hours: list[int]) -> None:
    """Faults pass sooner than walls."""
    look: Look | None = None
    pauses: list[timedelta] = []
    for _ in hours:
        _, _, look = after_look(judgement, look, NOW)
        pauses.append(look.next_at - NOW)
    assert pauses == [timedelta(hours=each) for each in hours]


def test_the_server_says_how_long_to_wait() -> None:
    """At first as long as it says, later at least so long."""
    asked = Judgement("unknown", "rate_limited", retry_after_s=120)
    _, _, first = after_look(asked, None, NOW)
    _, _, second = after_look(asked, first, NOW)
    assert (first.next_at - NOW, second.next_at - NOW) == (timedelta(seconds=120), timedelta(hours=6))


@given(
    steps=st.lists(
        st.tuples(st.floats(0, 200), st.sampled_from([LIVE, MISSING, NO_DOMAIN, WALL, FAULT, TIMEOUT])), min_size=1
    )
)
def test_no_link_is_lost_that_was_seen_since(steps: list[tuple[float, Judgement]]) -> None:
    """A loss has at least a day without a sight of it, and the next look is never at once."""
    look: Look | None = None
    now, seen_at = NOW, NOW
    for hours, judgement in steps:
        now += timedelta(hours=hours)
        verdict, _, look = after_look(judgement, look, now)
        assert look.next_at >= now + timedelta(hours=1)
        if verdict == "live":
            seen_at = now
        assert verdict != "lost" or now - seen_at >= timedelta(days=1)
