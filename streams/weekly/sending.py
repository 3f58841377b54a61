"""Sends the summary to Slack once a week, as long as a process runs."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import aiohttp

from flatline.domain.time import to_datetime
from flatline.errors import FlatlineError
from flatline.kafka.secret_file import SecretFile
from flatline.readmodel.queries.weekly import WeeklySummary
from flatline.weekly.words import slack_message
from flatline_connectors.ingest.answers import Refused

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LATE_MAX: Final = timedelta(days=1)
"""What could not be sent for so long is no news any more."""
LOOK_EVERY_S: Final = 30.0
_TIMEOUT: Final = aiohttp.ClientTimeout(total=30)

log = logging.getLogger("flatline.weekly")


class SlackError(FlatlineError):
    """Slack did not take a message. The message says what it answered."""

    remedy = "FLATLINE_SLACK_WEBHOOK_URL_FILE names a file with the URL of an incoming webhook."


class Schedule(NamedTuple):
    """When it is sent: on a day of the week (0 is Monday), at a time, by the clock of a time zone."""

    weekday: int
    hour: int
    minute: int
    zone: ZoneInfo

    @classmethod
    def of(cls, text: str, zone: ZoneInfo) -> "Schedule":
        """Return that of a text such as ``Mon 09:00``, which was checked."""
        day, _, clock = text.partition(" ")
        return cls(DAYS.index(day), int(clock[:2]), int(clock[3:]), zone)

    def last_due(self, now: datetime) -> datetime:
        """Return when it was last due, at ``now`` or before."""
        local = now.astimezone(self.zone)
        day = local.date() - timedelta(days=(local.weekday() - self.weekday) % 7)
        due = self._on(day)
        return due if due <= now else self._on(day - timedelta(days=7))

    def _on(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, self.hour, self.minute, tzinfo=self.zone)


class WeeklySummaries:
    """Sends a summary when one is due, and remembers in a file when that was done last.

    ``summary``   returns the summary of the week up to a day; raises `Refused` while that is not known
    ``webhook``   returns the URL; raises OSError
    """

    def __init__(
        self,
        schedule: Schedule,
        summary: Callable[[date, ZoneInfo], Awaitable[WeeklySummary]],
        *,
        webhook: Callable[[], str],
        page_url: str,
        sent_file: Path,
        now_ms: Callable[[], int],
    ) -> None:
        self._schedule = schedule
        self._summary = summary
        self._webhook = webhook
        self._page_url = page_url
        self._sent_file = sent_file
        self._now_ms = now_ms

    async def run(self) -> None:
        """Do so for ever. What Slack does not take is sent again, for a day."""
        while True:
            try:
                await self.look()
            except Refused:
                log.debug("the read model is not ready")
            except (SlackError, OSError) as error:
                log.warning("The weekly summary was not sent, trying again: %s", error)
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> bool:
        """Send what is due, and return whether anything was. Raises `Refused`, SlackError and OSError.

        The first look ever sends nothing: it is not known what was sent before. A process that ends between sending and
        remembering sends a second time.
        """
        now = to_datetime(self._now_ms())
        due = self._schedule.last_due(now)
        try:
            sent = datetime.fromisoformat(self._sent_file.read_text(encoding="ascii").strip())
        except FileNotFoundError:
            self._remember(due)
            return False
        except ValueError:
            log.warning("%s is no instant, and is written anew", self._sent_file)
            self._remember(due)
            return False
        if sent >= due:
            return False
        is_news = now - due <= LATE_MAX
        if is_news:
            zone = self._schedule.zone
            summary = await self._summary(due.astimezone(zone).date() - timedelta(days=1), zone)
            await post(self._webhook(), slack_message(summary, self._page_url))
        self._remember(due)
        return is_news

    def _remember(self, due: datetime) -> None:
        self._sent_file.parent.mkdir(parents=True, exist_ok=True)
        new = self._sent_file.with_suffix(".new")
        new.write_text(due.isoformat(), encoding="ascii")
        new.replace(self._sent_file)


async def post(webhook: str, message: dict[str, Any]) -> None:
    """Send a message to a Slack webhook, whose URL is a secret. Raises SlackError."""
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as slack,  # noqa: TID251 - where the operator says
            slack.post(webhook, json=message) as answer,
        ):
            status, said = answer.status, (await answer.read())[:200]
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise SlackError(f"Slack can't be reached: {type(error).__name__}") from None
    if status != 200:  # noqa: PLR2004
        raise SlackError(f"Slack answered {status}: {said.decode(errors='replace')}")


def webhook_in(file: Path) -> SecretFile:
    """Return the file that holds the URL of the webhook, which is read whenever it is needed."""
    return SecretFile(path=file, setting="FLATLINE_SLACK_WEBHOOK_URL_FILE")
