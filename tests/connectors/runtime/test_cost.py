"""What a day costs, against runs that are counted one by one; and units of a budget that are given back."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.schema.connector_record import ConnectorStatus
from flatline_connectors.runtime.budget import Spending
from flatline_connectors.runtime.config import Budget, ConnectorOptions
from flatline_connectors.runtime.cost import RunCost, cost_in_words, day_cost
from flatline_connectors.runtime.outcomes import BudgetExhausted

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@given(
    every_s=st.sampled_from([900, 3_600, 21_600, 86_400, 172_800]),
    overlap_h=st.integers(min_value=0, max_value=48),
    links_per_request=st.integers(min_value=1, max_value=1_000),
    units=st.integers(min_value=0, max_value=50),
    seen_at_s=st.integers(min_value=0, max_value=172_799),
)
def test_what_is_said_is_what_runs_ask_for(
    every_s: int, overlap_h: int, links_per_request: int, units: int, seen_at_s: int
) -> None:
    """A run asks for what was seen since the run before, and the overlap before that. Each time it is paid for."""
    overlap_s = overlap_h * 3_600
    cost = RunCost(1, links_per_request, units=units, units_per_link=3, overlap=timedelta(seconds=overlap_s))
    day = day_cost(cost, every_s=every_s)
    runs_s = range(0, 172_800 + 2 * (every_s + overlap_s), every_s)
    times = sum(run_s - every_s - overlap_s < seen_at_s <= run_s for run_s in runs_s)
    assert times <= day.times <= times + 1
    assert day.per_thousand["units"] == 3_000 * day.times
    assert 0 <= day.per_thousand["requests"] * links_per_request - 1_000 * day.times < links_per_request
    assert day.runs * every_s >= 86_400 > (day.runs - 1) * every_s
    assert day.quiet == {"requests": day.runs} | ({"units": units * day.runs} if units else {})


class _Options(ConnectorOptions, frozen=True, kw_only=True, tag="priced"):
    pass


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        (Budget(), "No limit is set. "),
        (Budget(units=1_199), "more units than the budget allows"),
        (Budget(units=49, per="1h"), "more units than the budget allows"),
        (Budget(units=1_200, requests=23), "more requests than the budget allows"),
    ],
)
def test_words(budget: Budget, said: str) -> None:
    """The figures of a day, what a budget makes of them, and what a budget is if there is none."""
    cost = RunCost(1, 100, units=50, units_per_link=20, overlap=timedelta(hours=2), remark="The first run costs more.")
    sentences = list(cost_in_words(cost, _Options(every="1h", budget=budget)))
    assert sentences[:3] == [
        "A day without new links costs at least 24 requests and 1,200 units (24 runs, one every 1h).",
        "1,000 new links a day add 30 requests and 60,000 units: each comes in 3 runs.",
        "The first run costs more.",
    ]
    assert len(sentences) == 4
    assert said in sentences[3]


def test_enough_budget_needs_no_word() -> None:
    """A budget that suffices to the unit, over a period that is longer than a day."""
    cost = RunCost(1, 100, units=50, units_per_link=20)
    assert len(list(cost_in_words(cost, _Options(every="1h", budget=Budget(units=2_400, per="2d"))))) == 2


def test_what_was_reserved_and_not_used_is_given_back() -> None:
    """A request may cost a hundred units and costs forty: then sixty are left; and never more than the limit."""
    status = ConnectorStatus("mine", "priced")

    async def change(changed: ConnectorStatus) -> None:
        nonlocal status
        status = changed

    now_ms = round(NOW.timestamp() * 1000)
    spending = Spending(Budget(units=100), status=lambda: status, change=change, now_ms=lambda: now_ms)
    asyncio.run(spending.spend("units", 100))
    with pytest.raises(BudgetExhausted):
        asyncio.run(spending.spend("units", 1))
    asyncio.run(spending.spend("units", -60))
    assert status.spent == {"units": 40}
    asyncio.run(spending.spend("units", -70))  # what was spent may be of the period before
    assert status.spent == {"units": 0}
