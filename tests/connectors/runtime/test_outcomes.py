"""What the runtime does about failures: a finite table, retries, budgets and schedules."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.errors import KafkaTimeoutError

from flatline.domain.time import to_ms
from flatline.schema.connector_record import ConnectorPosition, ConnectorStatus
from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.errors import ConnectorError
from flatline_connectors.fetching.outcomes import Action, Failed, Fetched, Outcome
from flatline_connectors.runtime import runner as running
from flatline_connectors.runtime.budget import left, period_start_ms
from flatline_connectors.runtime.config import Budget, SecretUnavailable
from flatline_connectors.runtime.connector import FoundRecord, MalformedPage, PollFailed, PollResult, usable
from flatline_connectors.runtime.outcomes import BudgetExhausted, RepeatedPage, remedy_for
from flatline_connectors.runtime.schedule import next_run_ms, waiting_ms
from flatline_connectors.runtime.section import Section
from flatline_connectors.sending.delivery import DeliveryFailed
from flatline_connectors.sending.producer import KafkaUnavailable
from tests.connectors.runtime.broken import NOW, PagesConnector, PagesState, Right
from tests.connectors.runtime.doubles import Kafka, Process


class _Unlisted(RuntimeError):
    """Something that nobody expected."""


class _SubclassOfOurs(SecretUnavailable):
    """A class below one that is in the table."""


@pytest.mark.parametrize(
    ("error", "action", "why"),
    [
        (PollFailed(Action.RETRY, "x"), Action.RETRY, "as it says"),
        (PollFailed(Action.STOP, "x"), Action.STOP, "as it says"),
        (MalformedPage(b"", Rejected(Reason.EMPTY, "x")), Action.SKIP, "of this page nothing is to be had"),
        (Failed(Outcome.GONE, "x"), Action.STOP, "as the fetcher's table says"),
        (BudgetExhausted("rows", 3, NOW), Action.WAIT, "there is more in the next period"),
        (RepeatedPage(), Action.WAIT, "the other side may mend it"),
        (DeliveryFailed("t", "x"), Action.RETRY, "Kafka comes back, although a person may mend it, too"),
        (KafkaUnavailable("x"), Action.RETRY, "Kafka comes back, although a person may mend it, too"),
        (KafkaTimeoutError("x"), Action.RETRY, "Kafka comes back"),
        (ConnectorError("x"), Action.STOP, "a person has to mend it"),
        (_SubclassOfOurs("x"), Action.STOP, "a subclass is of its base class' row"),
        (TimeoutError("x"), Action.RETRY, "it passes"),
        (ConnectionResetError("x"), Action.RETRY, "it passes: an OSError"),
        (_Unlisted("x"), Action.WAIT, "whatever is not listed may be our mistake"),
        (ZeroDivisionError("x"), Action.WAIT, "whatever is not listed may be our mistake"),
    ],
)
def test_each_error_has_one_remedy(error: Exception, action: Action, why: str) -> None:
    """The table, row by row."""
    assert remedy_for(error).action is action, why


def test_the_text_of_an_unexpected_error_is_not_repeated() -> None:
    """It may quote an address with a token; its type and its place are told."""

    def fail() -> None:
        raise _Unlisted("https://api.example/?token=s3cr3t")

    with pytest.raises(_Unlisted) as raised:
        fail()
    detail = remedy_for(raised.value).detail
    assert "s3cr3t" not in detail
    assert "_Unlisted in fail:" in detail


@pytest.mark.parametrize("status", [401, 403, 404, 410, 429, 500, 503, 418, 302])
def test_no_answer_but_a_page_is_usable(status: int) -> None:
    """Each status has its action; nothing of an address beyond its host is told."""
    from flatline_connectors.fetching.outcomes import of_status

    fetched = Fetched(of_status(status), "https://api.example/x?token=s3cr3t", status=status, retry_after_s=7)
    with pytest.raises(PollFailed) as raised:
        usable(fetched)
    assert raised.value.action is of_status(status).action
    assert raised.value.retry_after_s == 7
    assert "s3cr3t" not in str(raised.value)
    assert "https://api.example" in str(raised.value)


class _World(Right):
    """Pages whose fetches fail with these errors first."""

    def __init__(self, folder: Path, *errors: Exception) -> None:
        self.errors = list(errors)
        world = self

        class Failing(PagesConnector):
            """Fails as long as there are errors."""

            async def poll(self, state: PagesState, now: datetime) -> object:  # type: ignore[override]
                """Read one page, or fail."""
                if world.errors:
                    raise world.errors.pop(0)
                return await super().poll(state, now)

        self.connector = Failing
        super().__init__(folder)


def run(world: Right, kafka: Kafka, budget: Budget = Budget()) -> Process:  # noqa: B008 - it is frozen
    """Run a connector once in a new process."""
    section = Section("mine", msgspec.structs.replace(world.options, budget=budget), world.kind)
    process = Process(section, kafka, world.resources, now_ms=to_ms(world.now))
    asyncio.run(process.runner.run())
    return process


def test_what_passes_is_tried_again_with_growing_pauses(tmp_path: Path) -> None:
    """Four failures in a row are overcome, each pause within its bound; a fifth ends the run. Nothing is lost."""
    kafka = Kafka()
    process = run(_World(tmp_path, *[TimeoutError()] * 4), kafka)
    assert process.runner.status.outcome == "completed"
    assert all(0 <= pause <= 2**number for number, pause in enumerate(process.pauses))
    assert len(process.pauses) == 4
    failing = _World(tmp_path, *[TimeoutError()] * running.ATTEMPTS)
    for failures in (1, 2):
        failing.errors = [TimeoutError()] * running.ATTEMPTS
        process = run(failing, kafka)
        assert (process.runner.status.outcome, process.runner.status.failures) == ("failed", failures)
    process = run(failing, kafka)
    assert (process.runner.status.outcome, process.runner.status.failures) == ("completed", 0)
    assert set(kafka.records) == failing.records


def test_a_server_that_names_a_short_pause_gets_it_and_a_long_one_ends_the_run(tmp_path: Path) -> None:
    """503 with Retry-After: 30 is waited for; with 600 the next run waits for it."""
    short = PollFailed(Action.RETRY, "503", retry_after_s=30)
    process = run(_World(tmp_path, short), Kafka())
    assert process.runner.status.outcome == "completed"
    assert process.pauses[0] >= 30
    process = run(_World(tmp_path, PollFailed(Action.RETRY, "503", retry_after_s=600)), Kafka())
    assert process.pauses == []
    assert process.runner.status.next_run_at is not None
    assert process.runner.status.next_run_at >= NOW + timedelta(seconds=600)


def test_what_a_person_has_to_mend_stops_it(tmp_path: Path) -> None:
    """No next run, one attempt, and the reason is kept."""
    process = run(_World(tmp_path, SecretUnavailable("The variable TOKEN holds nothing.")), Kafka())
    status = process.runner.status
    assert (status.outcome, status.next_run_at, status.detail) == ("stopped", None, "The variable TOKEN holds nothing.")
    assert process.pauses == []


def test_a_position_of_another_kind_or_version_is_not_guessed_at(tmp_path: Path) -> None:
    """It stops, says which one, and leaves what is saved as it is."""
    for kind, state in (("other", b"{}"), ("pages", b'{"version": 2}'), ("pages", b'{"page": "x"}')):
        position = ConnectorPosition("mine", kind, msgspec.Raw(state), NOW)
        kafka = Kafka(position=(saved := (msgspec.json.encode(position),)))
        status = run(Right(tmp_path), kafka).runner.status
        assert status.outcome == "stopped"
        assert "The saved position of mine" in status.detail
        assert (kafka.position, kafka.records) == (saved, [])


def test_what_stands_before_a_break_is_sent(tmp_path: Path) -> None:
    """Of a page that is malformed in its middle the records come first, then the letter, then the position."""

    class Breaking(PagesConnector):
        """Reads pages whose second record can't be read, nor what follows."""

        async def poll(self, state: PagesState, now: datetime) -> PollResult[PagesState]:
            """Read one page."""
            result = await super().poll(state, now)
            return PollResult(self._broken(result, PagesState(page=state.page + 1)), result.state, result.is_complete)

        def _broken(self, result: PollResult[PagesState], after: PagesState) -> Iterator[FoundRecord]:
            for found in result.records:
                yield found  # type: ignore[misc]
                raise MalformedPage(b"rest", Rejected(Reason.INVALID_JSON, "x"), origin={"page": 1}, state=after)

    class World(Right):
        connector = Breaking

    kafka, world = Kafka(), World(tmp_path)
    assert run(world, kafka).runner.status.outcome == "completed"
    assert kafka.records == [
        ("link", f"https://a.example/{page}/0", "https://yours.example/a", "") for page in range(3)
    ]
    assert [letter.value for letter in kafka.letters] == [b"rest"] * 3


def test_a_budget_is_never_exceeded_whatever_crashes(tmp_path: Path) -> None:
    """Six rows are there and five are allowed a day: process after process, no more are sent before the next day."""
    kafka, world = Kafka(), Right(tmp_path)
    for _ in range(3):
        process = run(world, kafka, Budget(rows=5))
        assert process.runner.status.outcome == "out_of_budget"
        assert process.runner.status.failures == 0
        assert process.runner.status.next_run_at is not None
        assert process.runner.status.next_run_at >= datetime(2026, 3, 2, tzinfo=UTC)
        assert len(kafka.records) <= 5
        assert process.registry.get_sample_value("flatline_connector_out_of_budget", {"connector": "mine"}) == 1
    world.now = NOW + timedelta(days=1)
    assert run(world, kafka, Budget(rows=5)).runner.status.outcome == "completed"
    assert set(kafka.records) == world.records


def test_a_page_larger_than_the_whole_budget_stops_it(tmp_path: Path) -> None:
    """Waiting for the next period would not help: it would be begun again in each, and never be completed."""
    status = run(Right(tmp_path), Kafka(), Budget(rows=1)).runner.status
    assert status.outcome == "stopped"
    assert "budget.rows" in status.detail


instants = st.integers(min_value=0, max_value=2**42)


@given(now_ms=instants, per=st.sampled_from(["30s", "7m", "1h", "1d", "30d"]))
def test_periods_follow_each_other(now_ms: int, per: str) -> None:
    """Each instant is in one period, which begins at or before it and ends after it."""
    budget = Budget(per=per, requests=3)
    length_ms = period_start_ms(budget, now_ms + 10**10) - period_start_ms(budget, now_ms)
    start_ms = period_start_ms(budget, now_ms)
    assert start_ms <= now_ms
    assert period_start_ms(budget, start_ms) == start_ms
    assert length_ms >= 0
    assert start_ms == 0 or period_start_ms(budget, start_ms - 1) < start_ms


def test_what_was_spent_in_an_earlier_period_does_not_count() -> None:
    """At midnight all of it is there again."""
    status = ConnectorStatus(
        "mine", "pages", period_began_at=datetime(2026, 3, 1, tzinfo=UTC), spent={"requests": 2, "rows": 9}
    )
    budget = Budget(requests=3, rows=8)
    assert left(budget, status, to_ms(NOW)) == {"requests": 1, "rows": 0}
    assert left(budget, status, to_ms(NOW + timedelta(days=1))) == {"requests": 3, "rows": 8}


@given(
    now_ms=instants,
    every_s=st.integers(1, 10**6),
    random=st.floats(min_value=0, max_value=1, exclude_max=True),
    retry_after_s=st.floats(min_value=0, max_value=10**9),
)
def test_runs_come_within_a_tenth_of_their_time(now_ms: int, every_s: int, random: float, retry_after_s: float) -> None:
    """And a pause that was asked for is kept, up to a day."""
    next_ms = next_run_ms(now_ms, every_s=every_s, random=lambda: random)
    assert 900 * every_s - 1 <= next_ms - now_ms <= 1_100 * every_s + 1
    waited_ms = waiting_ms(now_ms, retry_after_s=retry_after_s, random=lambda: random) - now_ms
    assert waited_ms >= min(retry_after_s, 86_400) * 1000 - 1
    assert waited_ms <= 1.1 * 86_400_000 + 1
