"""What could be seen of an article: whose days count towards its silence, and how much."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.state.reported_weeks import with_report
from flatline.domain.time import DAY_MS
from flatline.domain.visibility.visibility import FULLY_VISIBLE, SourceDelay, Visibility

NOW_MS = 20_300 * DAY_MS
WEEK_MS = 7 * DAY_MS
# The last link came 100 days ago.
SINCE_MS = NOW_MS - 100 * DAY_MS

EVERY_WEEK = range(40)
EVEN, ODD = range(0, 40, 2), range(1, 40, 2)
OTHERS = range(20, 40)


def reported_weeks(weeks_ago: range) -> int:
    """Return the weeks of a source that reported a link in each of these weeks before the last link."""
    whole = 0
    for week in weeks_ago:
        whole = with_report(whole, SINCE_MS - week * WEEK_MS)
    return whole


def gone(days: int) -> SourceDelay:
    """Return that a source last reported so many days ago."""
    return SourceDelay(NOW_MS - days * DAY_MS, f"gone for {days}")


@pytest.mark.parametrize(
    ("reported", "behind", "unseen_days", "why"),
    [
        ({"north": EVERY_WEEK}, {"north": gone(30)}, 30, "its only source: none of these days counts"),
        ({"north": EVERY_WEEK}, {"north": gone(300)}, 100, "no more than there are since its last link"),
        ({"north": EVERY_WEEK, "south": EVERY_WEEK}, {"north": gone(30)}, 0, "the other source finds all of it, too"),
        ({"north": EVEN, "south": ODD}, {"north": gone(30)}, 15, "half of its links would still be seen"),
        ({"north": EVERY_WEEK, "south": OTHERS}, {"north": gone(30)}, 15, "the same"),
        ({"north": EVEN, "south": ODD}, {"north": gone(30), "south": gone(10)}, 20, "ten days none, twenty days half"),
        ({"south": EVERY_WEEK}, {"north": gone(30)}, 0, "it is not found by that source"),
        ({"south": EVERY_WEEK, "north": range(60, 90)}, {"north": gone(30)}, 0, "nor in the last year"),
        ({"file": EVERY_WEEK, "north": EVEN}, {"north": gone(30)}, 30, "what was imported once shows nothing now"),
        ({"file": EVERY_WEEK}, {"north": gone(30)}, 0, "nothing is known of its source: it is believed"),
        ({}, {"north": gone(30)}, 0, "it has no named source"),
    ],
)
def test_days_count_as_far_as_they_could_be_seen(
    reported: Mapping[str, range], behind: Mapping[str, SourceDelay], unseen_days: float, why: str
) -> None:
    """A day counts by the share of the weeks with links that the seeing sources would have shown."""
    visibility = Visibility(frozenset({"north", "south"}), behind)
    reports = {source: reported_weeks(weeks) for source, weeks in reported.items()}
    of_article = visibility.of_article(reports, since_ms=SINCE_MS, now_ms=NOW_MS)
    assert of_article.unseen_days == pytest.approx(unseen_days), why
    assert bool(of_article.reason) == bool(unseen_days)


def late(days: int) -> SourceDelay:
    """Return that a source usually reports so many days late, and has seen everything but for that."""
    return SourceDelay(NOW_MS - days * DAY_MS, f"reports {days} days late")


def stale(days: int) -> SourceDelay:
    """Return that a source has seen nothing for so many days, which is unusual."""
    return SourceDelay(NOW_MS - days * DAY_MS, "stale", is_stale=True)


@pytest.mark.parametrize(
    ("behind", "is_unseen", "is_hardly_seen", "why"),
    [
        ({}, False, False, "all is seen"),
        ({"north": late(2)}, False, False, "days late as always: groups and quality are judged all the same"),
        ({"north": late(20)}, False, True, "so late that most of a month is missing"),
        ({"north": stale(2)}, False, False, "the other one sees half"),
        ({"north": stale(2), "south": late(2)}, False, False, "the other one sees, if late"),
        ({"north": stale(20)}, False, True, "half of twenty days is too much to be missing"),
        ({"north": stale(2), "south": stale(2)}, True, True, "nobody looks"),
    ],
)
def test_how_little_is_seen(behind: Mapping[str, SourceDelay], is_unseen: bool, is_hardly_seen: bool, why: str) -> None:
    """Nobody sees an article whose usual sources are all stale; one that is seen too little isn't asked of, either."""
    reported = {"north": reported_weeks(EVEN), "south": reported_weeks(ODD)}
    visibility = Visibility(frozenset(reported), behind).of_article(reported, since_ms=SINCE_MS, now_ms=NOW_MS)
    assert (visibility.is_unseen, visibility.is_hardly_seen) == (is_unseen, is_hardly_seen), why


def test_while_the_worker_lags_nothing_counts() -> None:
    """What it has not read yet may hold anything."""
    visibility = Visibility(is_lagging=True).of_article({}, since_ms=SINCE_MS, now_ms=NOW_MS)
    assert visibility.unseen_days == 100
    assert visibility.reason
    assert Visibility().of_article({}, since_ms=SINCE_MS, now_ms=NOW_MS) == FULLY_VISIBLE


@given(st.lists(st.integers(0, 60 * 52), min_size=1), st.randoms())
def test_reported_weeks_are_a_function_of_the_set_of_reports(weeks: list[int], chance: object) -> None:
    """In any order and any number of times, it is the newest week and a bit for each of the 48 up to it."""
    whole = 0
    shuffled = [*weeks, *weeks]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    for week in shuffled:
        whole = with_report(whole, week * WEEK_MS + 5)
    newest = max(weeks)
    assert whole >> 48 == newest
    assert {newest - bit for bit in range(48) if whole >> bit & 1} == {week for week in weeks if newest - week < 48}


@given(
    st.dictionaries(st.sampled_from("abcd"), st.sets(st.integers(0, 47), min_size=1), min_size=1),
    st.dictionaries(st.sampled_from("abcd"), st.integers(1, 400)),
    st.integers(0, 50),
)
def test_seen_days_are_the_sum_over_days(reported: dict[str, set[int]], away: dict[str, int], later: int) -> None:
    """Day by day, with sets: the share of the weeks in which a source reported that could see on that day."""
    reports = {}
    for source, weeks in reported.items():
        for week in weeks:
            reports[source] = with_report(reports.get(source, 0), SINCE_MS - week * WEEK_MS)
    now_ms = NOW_MS + later * DAY_MS
    visibility = Visibility(frozenset("abcd"), {source: gone(days) for source, days in away.items()})
    newest = min(min(weeks) for weeks in reported.values())
    usual = {source: {week for week in weeks if week - newest < 48} for source, weeks in reported.items()}
    everything = set().union(*usual.values())
    expected = 0.0
    for day in range(SINCE_MS // DAY_MS, now_ms // DAY_MS):
        sees = [source for source in usual if source not in away or NOW_MS // DAY_MS - away[source] > day]
        expected += 1 - len(set().union(*(usual[source] for source in sees))) / len(everything)
    assert visibility.of_article(reports, since_ms=SINCE_MS, now_ms=now_ms).unseen_days == pytest.approx(expected)
