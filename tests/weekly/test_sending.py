"""When a summary is sent, and that it is sent once."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.demo.slack_receiver import SlackReceiver
from flatline.domain.time import to_ms
from flatline.readmodel.queries.weekly import WeeklySummary
from flatline.weekly.sending import DAYS, Schedule, SlackError, WeeklySummaries, post
from tests.weekly.test_words import summary

PARIS = ZoneInfo("Europe/Paris")
MONDAY_NINE = Schedule.of("Mon 09:00", PARIS)


@given(
    now=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    day=st.sampled_from(DAYS),
    hour=st.integers(0, 23),
    zone=st.sampled_from(["UTC", "Europe/Paris", "America/New_York", "Pacific/Auckland"]),
)
def test_it_is_due_on_its_day_at_its_time(now: datetime, day: str, hour: int, zone: str) -> None:
    """By the clock of its zone, daylight saving included; there is no later time up to now."""
    schedule = Schedule.of(f"{day} {hour:02}:30", ZoneInfo(zone))
    due = schedule.last_due(now)
    assert (DAYS[due.weekday()], due.hour, due.minute) == (day, hour, 30)
    assert due <= now
    following = (due + timedelta(days=7)).astimezone(UTC)  # the same time of the day a week later
    assert following > now


class Clock:
    """A clock that stands where it is put, and what was asked of it."""

    def __init__(self, *now: int) -> None:
        self.now = datetime(*now, tzinfo=UTC)  # type: ignore[misc,arg-type] # year, month, day, hour, minute
        self.asked: list[tuple[date, ZoneInfo]] = []

    def now_ms(self) -> int:
        """Return the time."""
        return to_ms(self.now)

    async def summary(self, until: date, zone: ZoneInfo) -> WeeklySummary:
        """Return a summary."""
        self.asked.append((until, zone))
        return summary()

    def summaries(self, folder: Path, webhook: str) -> WeeklySummaries:
        """Return what sends summaries, as a new process has it."""
        return WeeklySummaries(
            MONDAY_NINE,
            self.summary,
            webhook=lambda: webhook,
            page_url="https://flatline.example",
            sent_file=folder / "summary-sent",
            now_ms=self.now_ms,
        )


async def test_each_week_is_sent_once(tmp_path: Path) -> None:
    """Of the seven days up to the day before; not on the first look, and not again after a restart."""
    clock = Clock(2026, 11, 25, 12, 0)
    async with SlackReceiver() as slack:
        assert not await clock.summaries(tmp_path, slack.url).look()
        clock.now = datetime(2026, 11, 30, 7, 59, tzinfo=UTC)
        assert not await clock.summaries(tmp_path, slack.url).look()
        clock.now = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
        assert await clock.summaries(tmp_path, slack.url).look()
        assert not await clock.summaries(tmp_path, slack.url).look()
    assert clock.asked == [(date(2026, 11, 29), PARIS)]
    assert len(slack.messages) == 1


async def test_what_slack_does_not_take_is_sent_again_for_a_day(tmp_path: Path) -> None:
    """Later it is no news. The message says nothing of the webhook, which is a secret."""
    clock = Clock(2026, 11, 25, 12, 0)
    async with SlackReceiver() as slack:
        url = slack.url
        await clock.summaries(tmp_path, url).look()
    clock.now = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
    with pytest.raises(SlackError, match="Slack can't be reached") as raised:
        await clock.summaries(tmp_path, url).look()
    assert "services" not in str(raised.value)
    async with SlackReceiver() as slack:
        assert await clock.summaries(tmp_path, slack.url).look()
        clock.now = datetime(2026, 12, 8, 8, 1, tzinfo=UTC)
        assert not await clock.summaries(tmp_path, slack.url).look()
        assert len(slack.messages) == 1
        with pytest.raises(SlackError, match="Slack answered 400: no_text"):
            await post(slack.url, {})


async def test_a_broken_memory_sends_nothing(tmp_path: Path) -> None:
    """It is not known what was sent before: the next week is sent."""
    clock = Clock(2026, 11, 30, 8, 0)
    (tmp_path / "summary-sent").write_text("nothing")
    async with SlackReceiver() as slack:
        assert not await clock.summaries(tmp_path, slack.url).look()
        clock.now += timedelta(days=7)
        assert await clock.summaries(tmp_path, slack.url).look()
