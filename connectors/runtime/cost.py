"""What a connector of a vendor costs, said before it is spent."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol, runtime_checkable

from flatline.schema.connector_record import BudgetUnit
from flatline_connectors.runtime.budget import limits_of
from flatline_connectors.runtime.config import Budget, ConnectorOptions, duration_s

_DAY: Final = timedelta(days=1)
_LINKS: Final = 1_000


@dataclass(frozen=True)
class RunCost:
    """What a run costs. A page of an answer is one request.

    ``requests``, ``units``  of a run that finds nothing; units are the vendor's own
    ``links_per_request``    how many links a page has at most
    ``units_per_link``       what each link of an answer adds
    ``overlap``              a run asks again for what is younger, so that the same link is paid for several times
    ``remark``               what nobody can know before, or what the first run costs beside; in words for people
    """

    requests: int
    links_per_request: int
    units: int = 0
    units_per_link: float = 0.0
    overlap: timedelta = timedelta()
    remark: str = ""


@runtime_checkable
class Priced(Protocol):
    """A connector whose requests cost money, or are counted by somebody."""

    def cost_of_run(self) -> RunCost:
        """Return what a run costs. Raise `ConnectorError`. It asks nobody."""


@dataclass(frozen=True)
class DayCost:
    """What the runs of a day cost.

    ``times``         in how many runs a link comes: in those within the overlap again
    ``quiet``         if the runs find nothing, by unit
    ``per_thousand``  what a thousand new links a day add to it
    """

    runs: int
    times: int
    quiet: dict[BudgetUnit, int]
    per_thousand: dict[BudgetUnit, int]


def day_cost(cost: RunCost, *, every_s: int) -> DayCost:
    """Return what the runs of a day cost, one every ``every_s`` seconds."""
    runs = max(1, math.ceil(_DAY.total_seconds() / every_s))
    times = 1 + math.ceil(cost.overlap.total_seconds() / every_s)
    units = math.ceil(_LINKS * times * cost.units_per_link)
    return DayCost(
        runs,
        times,
        _without_zeros({"requests": runs * cost.requests, "units": runs * cost.units}),
        _without_zeros({"requests": math.ceil(_LINKS * times / cost.links_per_request), "units": units}),
    )


def cost_in_words(cost: RunCost, options: ConnectorOptions) -> Iterator[str]:
    """Yield sentences about what a day costs, and whether the budget allows that."""
    day = day_cost(cost, every_s=duration_s(options.every))
    runs = f"{day.runs:,} {'run' if day.runs == 1 else 'runs'}"
    yield f"A day without new links costs at least {_amounts(day.quiet)} ({runs}, one every {options.every})."
    again = f": each comes in {day.times:,} runs" if day.times > 1 else ""
    yield f"{_LINKS:,} new links a day add {_amounts(day.per_thousand)}{again}."
    if cost.remark:
        yield cost.remark
    yield from _beyond(day, options.budget)


def _beyond(day: DayCost, budget: Budget) -> Iterator[str]:
    periods = _DAY.total_seconds() / duration_s(budget.per)
    for unit, limit in limits_of(budget).items():
        if day.quiet.get(unit, 0) > limit * periods:
            yield f"That is more {unit} than the budget allows: runs will stop when it is spent."
    if day.quiet.get("units") and budget.units is None:
        yield 'No limit is set. Set one in the section: budget = { units = 10000, per = "1d" }.'


def _without_zeros(amounts: dict[BudgetUnit, int]) -> dict[BudgetUnit, int]:
    return {unit: amount for unit, amount in amounts.items() if amount}


def _amounts(amounts: dict[BudgetUnit, int]) -> str:
    said = (f"{amount:,} {unit.removesuffix('s') if amount == 1 else unit}" for unit, amount in amounts.items())
    return " and ".join(said) or "nothing"
