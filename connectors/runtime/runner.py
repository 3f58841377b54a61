"""Runs one connector: polls until it is complete, and saves its position after Kafka has what that covers."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import SystemRandom
from typing import Final, Generic, Protocol, TypeVar, cast

import msgspec
import xxhash
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_random_exponential

from flatline.domain.time import to_datetime
from flatline.schema import codec
from flatline.schema.connector_record import ConnectorPosition, ConnectorStatus, RunOutcome
from flatline.schema.rejection import Rejected
from flatline_connectors.errors import ConnectorError
from flatline_connectors.fetching.outcomes import Action
from flatline_connectors.runtime.budget import Spending, left, limits_of
from flatline_connectors.runtime.config import duration_s
from flatline_connectors.runtime.connector import (
    Connector,
    FoundRecord,
    Gap,
    MalformedPage,
    PollFailed,
    PollResult,
    Resources,
    Spend,
)
from flatline_connectors.runtime.metrics import ConnectMetrics
from flatline_connectors.runtime.outbox import Found, Outbox, Sent
from flatline_connectors.runtime.outcomes import RUN_OUTCOMES, BudgetExhausted, Remedy, RepeatedPage, remedy_for
from flatline_connectors.runtime.position_parts import split
from flatline_connectors.runtime.schedule import JITTER, next_run_ms, waiting_ms
from flatline_connectors.runtime.section import Section
from flatline_connectors.runtime.streams import StreamConnector

S = TypeVar("S", bound=msgspec.Struct)

ATTEMPTS: Final = 5
PAUSE_S_MAX: Final = 60.0

_log = logging.getLogger(__name__)
_encode: Final = msgspec.json.Encoder(order="deterministic").encode  # equal sets are to be equal bytes


class PositionUnreadable(ConnectorError):
    """The position that is saved is none of this kind of connector."""

    remedy = "`flatline connect state reset NAME` has the connector begin anew: links count once."


class NotSaved(Exception):
    """A position or a status could not be saved; the cause says why. Nothing can go on without."""


class Saving(Protocol):
    """Keeps what must outlive the process. Each call returns when Kafka has acknowledged it. Raises `NotSaved`."""

    async def save_position(self, records: Sequence[ConnectorPosition]) -> None:
        """Replace the position of a connector by these records, as `position_parts.split` returns them."""

    async def save_status(self, status: ConnectorStatus) -> None:
        """Replace the status."""


@dataclass(frozen=True)
class RunTiming:
    """``now_ms``: ms since the epoch. ``random`` returns a number of [0, 1)."""

    now_ms: Callable[[], int]
    sleep: Callable[[float], Awaitable[None]]
    random: Callable[[], float] = SystemRandom().random


class Runner(Generic[S]):
    """One connector with its position and status. `run` is called when it is due, and again when that has ended.

    ``sent``: what was sent by all runs of this process.
    """

    status: ConnectorStatus
    sent: Sent

    def __init__(
        self,
        section: Section,
        *,
        position: ConnectorPosition | None,
        status: ConnectorStatus | None,
        lend: Callable[[Spend], Resources],
        outbox: Outbox,
        saving: Saving,
        metrics: ConnectMetrics,
        timing: RunTiming,
        polls_max: int | None = None,
    ) -> None:
        """``position`` and ``status``: what was saved last. ``lend``: what the connector gets, with its budget.

        ``polls_max``: a run ends after so many polls, even if there is more.
        """
        self.section = section
        self.status = status or ConnectorStatus(section.name, section.kind.name)
        self._position = position
        self._outbox = outbox
        self._saving = saving
        self._metrics = metrics
        self._timing = timing
        self._polls_max = polls_max
        self.sent = Sent()
        self._spending = Spending(
            section.options.budget, status=lambda: self.status, change=self._change, now_ms=timing.now_ms
        )
        self._resources = lend(self._spending.spend)
        self._connector: Connector[S] | None = None
        self._missed = ""
        self._show()

    async def run(self) -> None:
        """Poll until nothing more is there, or something prevents it. Raise `NotSaved`, and nothing else."""
        outcome: RunOutcome
        remedy: Remedy | None = None
        self._missed = ""
        try:
            await self._poll_all()
            outcome = "completed"
        except NotSaved:
            raise
        except Exception as error:  # noqa: BLE001 - a connector may be wrong in any way; outcomes.py says what follows
            remedy = remedy_for(error)
            outcome = "out_of_budget" if isinstance(error, BudgetExhausted) else RUN_OUTCOMES[remedy.action]
        finally:
            if isinstance(self._connector, StreamConnector):
                await self._connector.disconnect()
        now_ms = self._timing.now_ms()
        now = to_datetime(now_ms)
        is_failure = outcome not in ("completed", "out_of_budget")
        status = msgspec.structs.replace(
            self.status,
            ran_at=now,
            next_run_at=None if outcome == "stopped" else to_datetime(self._next_ms(now_ms, remedy)),
            completed_at=now if outcome == "completed" else self.status.completed_at,
            outcome=outcome,
            detail=remedy.detail if remedy else self._missed,
            failures=self.status.failures + 1 if is_failure else 0 if outcome == "completed" else self.status.failures,
        )
        self._metrics.runs.labels(self.section.name, outcome).inc()
        if remedy is not None:
            _log.warning("%s: %s: %s", self.section.name, outcome, remedy.detail)
        await self._change(status)

    def _next_ms(self, now_ms: int, remedy: Remedy | None) -> int:
        random = self._timing.random
        usual_ms = next_run_ms(now_ms, every_s=duration_s(self.section.options.every), random=random)
        if remedy is None:
            return usual_ms
        if remedy.retry_after_s is not None:
            return waiting_ms(now_ms, retry_after_s=remedy.retry_after_s, random=random)
        if remedy.until is not None:
            return max(usual_ms, round(remedy.until.timestamp() * 1000))
        return usual_ms

    async def _poll_all(self) -> None:
        if self._connector is None:
            self._connector = self.section.kind.open(self.section.options, self._resources)
        state = self._state()
        seen, polls = {_digest(state)}, 0
        while True:
            result = await self._retried(state)
            state = result.state
            if result.is_complete:
                break
            digest = _digest(state)
            if digest in seen:
                raise RepeatedPage
            seen.add(digest)
            polls += 1
            if polls == self._polls_max:
                return
        if result.seen_until is not None:
            await self._say_seen(result)

    async def _one(self, state: S) -> PollResult[S]:
        """Poll once, send what was found, and only then save the position."""
        assert self._connector is not None
        try:
            result = await self._connector.poll(state, to_datetime(self._timing.now_ms()))
        except MalformedPage as malformed:
            result = PollResult(_raising(malformed), state, is_complete=False)
        page = _Page(_suspicions(result.records) if self.section.options.confirm_losses else result.records)
        self._count(await self._outbox.send(page, spend_rows=self._spend_rows()))
        if page.malformed is not None:
            if page.malformed.state is None:
                raise page.malformed
            result = PollResult([], cast(S, page.malformed.state), is_complete=False)
        if result.state != state or self._position is None:
            await self._save(result.state)
        if result.gap is not None:
            self._say_missed(result.gap)
        return result

    def _say_missed(self, gap: Gap) -> None:
        name, length = self.section.name, gap.until - gap.since
        self._metrics.missed.labels(name).inc(length.total_seconds())
        detail = f"nothing was seen from {gap.since:%Y-%m-%d %H:%M} to {gap.until:%Y-%m-%d %H:%M} UTC"
        _log.warning("%s: %s: the other side keeps nothing so old", name, detail)
        self._missed = detail

    def _spend_rows(self) -> Callable[[int], Awaitable[None]]:
        """Return what spends rows for one page: a page that is larger than the whole budget would never pass."""
        limit, rows = limits_of(self.section.options.budget).get("rows"), 0

        async def spend(amount: int) -> None:
            nonlocal rows
            rows += amount
            if limit is not None and rows > limit:
                detail = f"what it found at once has more than the {limit:,} rows of its budget: raise budget.rows"
                raise PollFailed(Action.STOP, detail)
            await self._spending.spend("rows", amount)

        return spend

    async def _retried(self, state: S) -> PollResult[S]:
        backoff = wait_random_exponential(multiplier=1, max=PAUSE_S_MAX)

        def pause_s(attempt: RetryCallState) -> float:
            error = attempt.outcome.exception() if attempt.outcome else None
            asked_s = remedy_for(error).retry_after_s if isinstance(error, Exception) else None
            self._metrics.retries.labels(self.section.name).inc()
            return max(backoff(attempt), asked_s or 0.0)

        attempts = AsyncRetrying(
            sleep=self._timing.sleep,
            stop=stop_after_attempt(ATTEMPTS),
            wait=pause_s,
            retry=retry_if_exception(_is_worth_a_retry),
            reraise=True,
        )
        return await attempts(self._one, state)

    async def _say_seen(self, result: PollResult[S]) -> None:
        assert result.seen_until is not None
        now = to_datetime(self._timing.now_ms())
        every_s = duration_s(self.section.options.every)
        seen_until = min(result.seen_until, now)
        period_s = every_s * (1 + JITTER)
        await self._outbox.heartbeat(seen_until, period_s=period_s, seen_from=result.seen_from)
        self.status = msgspec.structs.replace(self.status, seen_until=seen_until)

    def _state(self) -> S:
        kind = self.section.kind
        position = self._position
        if position is None:
            return kind.state()  # type: ignore[no-any-return]
        which = f"The saved position of {self.section.name}"
        if position.kind != kind.name:
            raise PositionUnreadable(f"{which} is one of kind {position.kind}, and not {kind.name}.")
        try:
            return msgspec.json.decode(position.state, type=kind.state)  # type: ignore[no-any-return]
        except msgspec.DecodeError as error:
            raise PositionUnreadable(f"{which} can't be read: {error}.") from None

    async def _save(self, state: S) -> None:
        position = ConnectorPosition(
            self.section.name,
            self.section.kind.name,
            msgspec.Raw(_encode(state)),
            to_datetime(self._timing.now_ms()),
        )
        await self._saving.save_position(split(position, self.section.kind.parts))
        self._position = position

    async def _change(self, status: ConnectorStatus) -> None:
        await self._saving.save_status(status)
        self.status = status
        self._show()

    def _count(self, sent: Sent) -> None:
        self.sent.accepted += sent.accepted
        self.sent.rejected += sent.rejected
        for kind, count in sent.accepted.items():
            self._metrics.records.labels(self.section.name, kind).inc(count)
        for reason, count in sent.rejected.items():
            self._metrics.rejected.labels(self.section.name, reason).inc(count)

    def _show(self) -> None:
        budget = self.section.options.budget
        remaining = left(budget, self.status, self._timing.now_ms())
        self._metrics.show(self.section.name, self.status, limits=limits_of(budget), left=remaining)


def _digest(state: msgspec.Struct) -> bytes:
    return xxhash.xxh3_128_digest(_encode(state))


def _is_worth_a_retry(error: BaseException) -> bool:
    if not isinstance(error, Exception):
        return False
    remedy = remedy_for(error)
    return remedy.action is Action.RETRY and (remedy.retry_after_s or 0) <= PAUSE_S_MAX


class _Page:
    """The records of one poll. Where the page turns out to be malformed its letter is the last of them."""

    def __init__(self, records: Iterable[Found]) -> None:
        self.malformed: MalformedPage | None = None
        self._records = records

    def __iter__(self) -> Iterator[Found]:
        try:
            yield from self._records
        except MalformedPage as malformed:
            self.malformed = malformed
            yield malformed.letter


def _suspicions(records: Iterable[Found]) -> Iterator[Found]:
    """Yield records, with suspicions in place of losses. What is no link event is refused later."""
    for found in records:
        if isinstance(found, FoundRecord) and found.type == "link":
            with suppress(Rejected):
                event = codec.links.decode(found.value)
                if event.change == "lost":
                    value = codec.links.encode(msgspec.structs.replace(event, change="suspected"))
                    yield found._replace(value=value)
                    continue
        yield found


def _raising(malformed: MalformedPage) -> Iterator[Found]:
    raise malformed
    yield malformed.letter  # which makes it a generator
