"""The test of alerts on the public histories, where they lie: it must find what was published of them."""

from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path
from random import Random

import msgspec
import numpy as np
import pytest

from flatline.backtest.calibration import calibration_of
from flatline.backtest.cases import Cases, cases_of, outcome
from flatline.backtest.histories import Histories, History
from flatline.backtest.performance import (
    GAPS_DAYS,
    SCORES,
    alert_days_of_gaps,
    alert_days_of_score,
    fastest,
    performances,
)
from flatline.backtest.replay import Alert, Ending, replay
from flatline.backtest.silences import silences
from flatline.domain.imports.imports import Imports
from flatline.domain.learned.hazard import Hazard
from flatline.domain.learned.season import season_of
from flatline.domain.policy.ignore import Ignore, Ignored
from flatline.domain.policy.policy import Policy
from flatline.domain.policy.thresholds import Thresholds
from flatline.domain.state import link, link_traits
from flatline.domain.state.article import LinkObservation
from flatline.domain.time import day_of, to_datetime
from flatline.schema.verdict import FindingKind
from flatline_connectors.files.lines import LineFile

pytestmark = pytest.mark.long

OPEN_HALF = Path(__file__).parents[3] / "shared" / "data" / "open.ndjson.zst"
NOW_MS = 1_800_000_000_000
PUBLISHED = {0.4: (45, 1929), 0.5: (65, 1855), 0.6: (95, 1761), 0.7: (155, 1599), 0.8: (235, 1489), 0.9: (435, 1266)}


def read(*, own_links: bool) -> Histories:
    """Return the open half of the public histories, as the policy has it or with links from an article's own site."""
    if not OPEN_HALF.exists():
        pytest.skip("the public histories are not on this machine")
    histories = Histories()
    ignored = Ignored.by(Ignore(own_links=not own_links))
    histories.read_links(OPEN_HALF.name, LineFile(OPEN_HALF), recorded_ms=NOW_MS, ignored=ignored)
    return histories


def cases_in(histories: Histories) -> Cases:
    """Return their cases."""
    return cases_of((history.link_days() for history in histories), end_day=day_of(histories.end_ms))


@pytest.fixture(scope="module")
def histories() -> Histories:
    """Return them as they were counted when figures of them were published: imports were those with a label."""
    read_then = read(own_links=True)
    read_then.imports = Imports()
    return read_then


@pytest.fixture(scope="module")
def seen() -> Histories:
    """Return the histories as the product sees them."""
    return read(own_links=False)


@pytest.fixture(scope="module")
def cases(seen: Histories) -> Cases:
    """Return the cases that the product sees."""
    return cases_in(seen)


def test_all_of_it_is_read(histories: Histories) -> None:
    """Next to every event counts, up to the end of the data."""
    assert histories.lines == 640_487
    assert histories.rejected.total() == 18
    assert f"{to_datetime(histories.end_ms):%Y-%m-%d}" == "2026-08-22"


def test_the_fixed_gap_does_as_published(histories: Histories) -> None:
    """The same gaps are the first to reach each precision, with the published right alerts but for half a percent."""
    gaps = range(5, 1_000, 10)
    cases = cases_in(histories)
    rows = fastest(performances(cases, alert_days_of_gaps(cases, gaps), gaps))
    assert {row.precision: row.threshold for row in rows} == {each: gap for each, (gap, _) in PUBLISHED.items()}
    for row in rows:
        assert row.right == pytest.approx(PUBLISHED[row.precision][1], rel=0.006)


def test_what_is_said_is_true(cases: Cases) -> None:
    """On each day of a pause and for each pace, as a reader would check it."""
    found = calibration_of(cases, Hazard().probability)
    assert found is not None
    assert found.brier < 0.15 < found.base_rate_brier
    assert found.mean_error <= 0.04
    for each in found.by_gap:
        margin = 0.05 if each.looks >= 1_000 else 0.1
        assert each.looks < 20 or abs(each.said - each.observed) <= margin, each


@pytest.mark.parametrize(("slowest", "fastest_pace"), [(0, 6), (6, 20)])
def test_alerts_come_sooner_than_after_the_best_gap_for_a_pace(cases: Cases, slowest: int, fastest_pace: int) -> None:
    """On average over the precisions, also where the gap is chosen for articles of this pace alone.

    Of faster ones there are too few to tell: HAZARD.md has what was measured.
    """
    chosen = np.flatnonzero((cases.link_days_a_year >= slowest) & (cases.link_days_a_year < fastest_pace))
    of_pace = Cases(
        [cases.rhythms[case] for case in chosen],
        cases.begin_day[chosen],
        cases.next_day[chosen],
        cases.link_days_a_year[chosen],
        cases.end_day,
        cases.horizon_days,
    )
    precisions = (0.5, 0.6, 0.7, 0.8)
    ours = fastest(performances(of_pace, alert_days_of_score(of_pace, Hazard().score), SCORES), precisions)
    gaps = fastest(performances(of_pace, alert_days_of_gaps(of_pace), GAPS_DAYS), precisions)
    ratios = [one.mean_delay_days / other.mean_delay_days for one, other in zip(ours, gaps, strict=True)]
    assert len(ratios) == len(precisions)
    assert np.mean(ratios) <= 0.94


def test_alerts_are_right_as_often_as_they_say(cases: Cases) -> None:
    """Of alerts that say 75 %, about three of four are right."""
    hazard = Hazard()
    days = alert_days_of_score(cases, hazard.score, [0.6])
    right, wrong = outcome(cases, days)
    said = [
        (hazard.probability(cases.rhythms[case], int(days[case, 0])), bool(right[case, 0]))
        for case in np.flatnonzero(right[:, 0] | wrong[:, 0])
    ]
    assert len(said) > 1_000
    for low in (0.6, 0.7, 0.8):
        tenth = [each for each in said if low <= each[0] < low + 0.1]
        if len(tenth) >= 100:
            mean, observed = np.mean(tenth, axis=0)
            assert abs(mean - observed) <= 0.07, (low, len(tenth), mean, observed)


def test_few_pauses_are_taken_for_seasons(seen: Histories, monkeypatch: pytest.MonkeyPatch) -> None:
    """These articles have hardly any seasons. What is held back as one is rarely an end, while most alerts are."""
    monkeypatch.setattr("flatline.backtest.silences.season_of", lambda _days: None)
    held, alerts, end_day = list[Ending | None](), 0, day_of(seen.end_ms)
    for history in seen:
        days = history.link_days()
        for alert in silences(history.key, days, Thresholds(), Hazard(), begin_day=0, end_day=end_day):
            alerts += 1
            season = season_of(days[: bisect_right(days, alert.day)])
            if season is not None and alert.day <= season.until_day:
                held.append(alert.ending)
    assert alerts > 2_000
    assert len(held) <= alerts / 200
    assert held.count(Ending.RIGHT) <= len(held) / 2


def with_footers(history: History, is_in_footer: Callable[[LinkObservation], bool]) -> History:
    """Return a history with some of its links in footers, and so of low quality; every look at a link says the same."""
    footer, where = link_traits.placement("footer") << link.FLAG_BITS, dict[bytes, bool]()
    seen = list[LinkObservation]()
    for each in history.observations:
        if where.setdefault(each.page, is_in_footer(each)) and each.is_gain:
            each = msgspec.structs.replace(each, flags_and_traits=each.flags_and_traits | footer)  # noqa: PLW2901
        seen.append(each)
    return history._replace(observations=seen)


def quality_gone(history: History, *, end_day: int) -> list[Alert]:
    """Return the alerts that an article gains no high-quality links any more."""
    found = replay(history, Policy(), link_days=history.link_days(), end_day=end_day)
    return [alert for alert in found if alert.kind is FindingKind.QUALITY_GONE]


def test_quality_is_said_to_be_gone_where_it_is(seen: Histories) -> None:
    """The histories say nothing of where links are, so some are put into footers, at the times at which links came.

    If all are from some day on, that is found; if it is chance which are, little is said. Nothing is said of the
    histories as they are: what repeats all over one site there is a newsletter, which is a reader.
    """
    chance, end_day = Random(3), day_of(seen.end_ms)
    busy = [each for each in seen if len(each.observations) >= 25 and len(each.link_days()) >= 20]
    chosen = chance.sample(busy, 60)
    false, article_years, found = 0, 0.0, 0
    for history in chosen:
        days = history.link_days()
        assert not quality_gone(history, end_day=end_day)
        mixed = with_footers(history, lambda _each: chance.random() < 0.6)
        false += len(quality_gone(mixed, end_day=end_day))
        article_years += (end_day - days[0]) / 365
        middle = days[len(days) // 2]
        gone = with_footers(history, lambda each, last=middle: day_of(each.at_ms) > last)  # type: ignore[misc]
        found += any(alert.day > middle for alert in quality_gone(gone, end_day=end_day))
    assert false / article_years <= 0.04
    assert found / len(chosen) >= 0.75
