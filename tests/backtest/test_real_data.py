"""The test of alerts on the public histories, where they lie: it must find what was published of them."""

from pathlib import Path

import pytest

from flatline.backtest.calibration import calibration_of
from flatline.backtest.cases import Cases, cases_of
from flatline.backtest.histories import Histories
from flatline.backtest.performance import alert_days_of_gaps, fastest, performances
from flatline.domain.time import day_of, to_datetime
from flatline_connectors.files.lines import LineFile

pytestmark = pytest.mark.long

OPEN_HALF = Path(__file__).parents[3] / "shared" / "data" / "open.ndjson.zst"
NOW_MS = 1_800_000_000_000
PUBLISHED = {0.4: (45, 1929), 0.5: (65, 1855), 0.6: (95, 1761), 0.7: (155, 1599), 0.8: (235, 1489), 0.9: (435, 1266)}


@pytest.fixture(scope="module")
def histories() -> Histories:
    """Return the open half of the public histories."""
    if not OPEN_HALF.exists():
        pytest.skip("the public histories are not on this machine")
    histories = Histories()
    histories.read_links(OPEN_HALF.name, LineFile(OPEN_HALF), recorded_ms=NOW_MS)
    return histories


@pytest.fixture(scope="module")
def cases(histories: Histories) -> Cases:
    """Return their cases."""
    return cases_of((history.link_days() for history in histories), end_day=day_of(histories.end_ms))


def test_all_of_it_is_read(histories: Histories) -> None:
    """Next to every event counts, up to the end of the data."""
    assert histories.lines == 640_487
    assert histories.rejected.total() == 18
    assert f"{to_datetime(histories.end_ms):%Y-%m-%d}" == "2026-08-22"


def test_the_fixed_gap_does_as_published(cases: Cases) -> None:
    """The same gaps are the first to reach each precision, with the published right alerts but for half a percent."""
    gaps = range(5, 1_000, 10)
    rows = fastest(performances(cases, alert_days_of_gaps(cases, gaps), gaps))
    assert {row.precision: row.threshold for row in rows} == {each: gap for each, (gap, _) in PUBLISHED.items()}
    for row in rows:
        assert row.right == pytest.approx(PUBLISHED[row.precision][1], rel=0.006)


def test_the_base_rate_is_that_of_living_articles(cases: Cases) -> None:
    """Asked within a silence, most answers are that a link does come: 0.077 was published of the other half."""
    found = calibration_of(cases, lambda _rhythm, _day: 0.5)
    assert found is not None
    assert found.brier == 0.25
    assert 0.07 < found.base_rate_brier < 0.1
