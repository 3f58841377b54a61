"""Sources in the backtest: those that die are said to be gone, and their articles are not said to be silent."""

import json
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.backtest.histories import Histories
from flatline.backtest.report import BacktestReport, run
from flatline.backtest.visibility_history import Outage, VisibilityHistory
from flatline.domain.policy.policy import Policy
from flatline.domain.time import DAY_MS, to_datetime
from flatline.domain.visibility.source_history import SourceHistory, SourceReport
from flatline.domain.visibility.sources import Sources

BEGIN = 18_000
DIES, RETURNS, ENDS = BEGIN + 500, BEGIN + 700, BEGIN + 1_000
STOPS = BEGIN + 450


class Line:
    """A line of a file."""

    def __init__(self, number: int, event: dict[str, object]) -> None:
        self.number = number
        self.value = json.dumps(event).encode()


def _events(*, returns: bool, late_days: int) -> Iterator[dict[str, object]]:
    """Yield links of 20 articles, ten a source, each some twice a month; the east's first one stops for good.

    The west dies on a day. If it returns it delivers what it missed, by the days on which that happened.
    """
    chance = Random(7)
    for source in ("east", "west"):
        for article in range(10):
            day = BEGIN + chance.randrange(14)
            page = 0
            while day < (STOPS if (source, article) == ("east", 0) else ENDS):
                observed = day + chance.randrange(late_days + 1)
                if source == "west" and observed >= DIES:
                    if not returns:
                        break
                    observed = max(observed, RETURNS)
                if observed <= ENDS:
                    page += 1
                    yield {
                        "url_from": f"https://{source}.example/{article}/{page}",
                        "url_to": f"https://t.example/{source}/{article}",
                        "occurred_at": to_datetime(day * DAY_MS).isoformat(),
                        "observed_at": to_datetime(observed * DAY_MS + 1).isoformat(),
                        "source": source,
                    }
                day += 1 + int(min(chance.expovariate(1 / 14), 50))


def _report(*, returns: bool, late_days: int = 0) -> BacktestReport:
    histories = Histories()
    lines = [Line(number, event) for number, event in enumerate(_events(returns=returns, late_days=late_days), 1)]
    histories.read_links("simulated", lines, recorded_ms=(ENDS + 1) * DAY_MS)
    assert not histories.rejected
    return run(histories, histories, Policy()).report


@pytest.mark.parametrize("late_days", [0, 6])
@pytest.mark.parametrize("returns", [False, True])
def test_a_source_that_dies_is_one_alert(returns: bool, late_days: int) -> None:
    """The ten articles of the dead source are not news; the one that truly stopped, of the other source, is."""
    report = _report(returns=returns, late_days=late_days)
    (west,) = (each for each in report.source_alerts if each.source == "west")
    assert (west.until is not None) == returns
    assert all(each.until for each in report.source_alerts if each.source == "east"), "a chance pause at most"
    silent = {each.article for each in report.alerts if each.kind == "silent"}
    assert silent == {"https://t.example/east/0"}
    assert not [each for each in report.alerts if each.kind == "revived"]


reports = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 9), st.integers(0, 20)), max_size=60)


@given(reports)
def test_visibility_is_that_of_each_single_day(reported: list[tuple[int, int, int]]) -> None:
    """What was found by bisection is what the worker's sources say when they are asked every day."""
    by_day: dict[tuple[str, int], list[SourceReport]] = {}
    for day, article, lag in reported:
        by_day.setdefault(("x", day), []).append(SourceReport(article, day * DAY_MS, lag * DAY_MS))
    visibility = VisibilityHistory((), by_day, end_day=400)
    sources, history = Sources(), SourceHistory()
    offset, stale_days = 0, set()
    for day in range(401):
        for each in by_day.get(("x", day), []):
            history.observe(each, offset=offset)
            offset += 1
        sources.learn_habits([{"x": history}])
        now_ms = (day + 1) * DAY_MS - 1
        assert visibility.on(day, {"x": None}) == sources.visibility(now_ms)
        if sources.stale(now_ms):
            stale_days.add(day)
    outages = visibility.outages()
    assert all(isinstance(each, Outage) for each in outages)
    assert stale_days == {day for each in outages for day in range(each.since_day, each.until_day or 401)}
