"""Budgets: hard limits in each period, which hold across crashes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Final, get_args

import msgspec

from flatline.domain.time import to_datetime, to_ms
from flatline.schema.connector_record import BudgetUnit, ConnectorStatus
from flatline_connectors.runtime.config import Budget, duration_s
from flatline_connectors.runtime.outcomes import BudgetExhausted

UNITS: Final[tuple[BudgetUnit, ...]] = get_args(BudgetUnit)


def limits_of(budget: Budget) -> dict[BudgetUnit, int]:
    """Return the limits that a budget has, by unit."""
    return {unit: limit for unit in UNITS if (limit := getattr(budget, unit)) is not None}


def period_start_ms(budget: Budget, now_ms: int) -> int:
    """Return when the period began that ``now_ms`` is in: periods follow each other since 1970-01-01, 0:00 UTC."""
    length_ms = duration_s(budget.per) * 1000
    return now_ms // length_ms * length_ms


def spent_in_period(budget: Budget, status: ConnectorStatus, now_ms: int) -> Mapping[BudgetUnit, int]:
    """Return what was spent in the period that ``now_ms`` is in."""
    began_at = status.period_began_at
    is_current = began_at is not None and to_ms(began_at) >= period_start_ms(budget, now_ms)
    return status.spent if is_current else {}


def left(budget: Budget, status: ConnectorStatus, now_ms: int) -> dict[BudgetUnit, int]:
    """Return what is left in the period that ``now_ms`` is in, of each unit that has a limit."""
    spent = spent_in_period(budget, status, now_ms)
    return {unit: max(0, limit - spent.get(unit, 0)) for unit, limit in limits_of(budget).items()}


def resets_at(budget: Budget, now_ms: int) -> datetime:
    """Return when the next period begins."""
    return to_datetime(period_start_ms(budget, now_ms) + duration_s(budget.per) * 1000)


class Spending:
    """Spends the budget of one connector. What has a limit is written down before it is spent.

    ``change`` replaces the status and returns when Kafka has it: whoever is killed between that and a request has spent
    the request without making it, and nobody can ever spend more than the limit.
    """

    def __init__(
        self,
        budget: Budget,
        *,
        status: Callable[[], ConnectorStatus],
        change: Callable[[ConnectorStatus], Awaitable[None]],
        now_ms: Callable[[], int],
    ) -> None:
        self._budget = budget
        self._status = status
        self._change = change
        self._now_ms = now_ms
        self._one_at_a_time = asyncio.Lock()

    async def spend(self, unit: BudgetUnit, amount: int = 1, /) -> None:
        """Spend so much, or give so much back. Raise `BudgetExhausted`, having spent nothing."""
        limit = limits_of(self._budget).get(unit)
        if limit is None:
            return
        async with self._one_at_a_time:
            now_ms, status = self._now_ms(), self._status()
            spent = dict(spent_in_period(self._budget, status, now_ms))
            if amount > 0 and spent.get(unit, 0) + amount > limit:
                raise BudgetExhausted(unit, limit, resets_at(self._budget, now_ms))
            spent[unit] = max(0, spent.get(unit, 0) + amount)
            began_at = to_datetime(period_start_ms(self._budget, now_ms))
            await self._change(msgspec.structs.replace(status, period_began_at=began_at, spent=spent))
