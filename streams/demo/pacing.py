"""The clock of a demo: it advances as fast as the pipeline keeps up, up to a speed that people can follow."""

from collections.abc import Collection
from time import monotonic
from types import TracebackType
from typing import Final, Self

from flatline.clock import FileClock
from flatline.demo.errors import DemoError
from flatline.demo.play import Calendar
from flatline.demo.slack_inbox import SlackInbox
from flatline.demo.unnotified_alerts import UnnotifiedAlerts
from flatline.demo.watermark import Applied, Evaluated, Mark, Scraped, Stage, Watermark
from flatline.domain.time import DAY_MS
from flatline.local.stack import LocalStack

# In periods of the sources, after three of which they are stale; in the simulated story one is ten days. So far the
# clock may be ahead of what the rules have seen. An article is called revived for 28 days, and three evaluations make
# that an alert.
_LEAD_PERIODS: Final = 0.9
# After a slow turn the clock goes on by no more than this at full speed.
_TURN_S_MAX: Final = 1.0
_STANDS_STILL_S_MAX: Final = 600.0


class PacedClock:
    """Advances the clock of an installation, from `with` to the end of its body.

    It shows no instant before the workers have applied all events up to it: articles and groups would lack their
    last weeks. It is ahead of what was judged, scraped and evaluated by less than one period of the sources. It stands
    still while an alert has yet to be sent to Slack. So on a slow machine, too, an alert that lasts some weeks is sent
    before it ends.

    ``now_ms``         the time that it shows
    ``sends_until_ms`` the instant up to which events should be sent by now
    """

    def __init__(self, stack: LocalStack, calendar: Calendar, *, period_days: float, inbox: SlackInbox | None) -> None:
        """``period_days`` is the sources' period. Without an ``inbox`` it does not wait for Slack messages."""
        settings, addresses = stack.settings, stack.addresses
        if settings.clock_file is None:
            raise ValueError("the installation goes by the wall clock")
        self.now_ms = self.sends_until_ms = calendar.starts_ms
        self._calendar = calendar
        self._clock = FileClock(settings.clock_file)
        self._ahead_ms = int(calendar.sent_ahead_s * calendar.days_per_s * DAY_MS)
        self._lead_ms = int(_LEAD_PERIODS * period_days * DAY_MS)
        prometheus = addresses["prometheus"]
        workers = [address for name, address in addresses.items() if name.startswith("worker-")]
        self._applied = Applied(settings)
        stages: list[Stage] = [
            self._applied,
            Scraped(prometheus, workers, period_s=period_days * DAY_MS / 1000),
            Evaluated(prometheus),
        ]
        # It does not begin to go before its beginning has passed, either.
        beginning = Mark(self.now_ms - self._lead_ms, self.now_ms, ends={}, alive=frozenset())
        self._watermark = Watermark(stages, beginning)
        self._unnotified = (
            UnnotifiedAlerts(addresses["alertmanager"], lambda: inbox.messages + inbox.violations) if inbox else None
        )
        self._marked: Mark | None = None
        self._turned_s = self._moved_s = monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._applied.close()

    @property
    def left_s(self) -> float:
        """The time until the end of the history at full speed."""
        return (self._calendar.ends_ms - self.now_ms) / DAY_MS / self._calendar.days_per_s

    def has_shown(self, instant_ms: int) -> bool:
        """Whether everything up to an instant was evaluated, and its alerts were sent to Slack."""
        return self._watermark.passed[-1].at_ms >= instant_ms and not self._is_held()

    @property
    def is_through(self) -> bool:
        """Whether everything that was sent was evaluated."""
        return self._watermark.passed[-1] is self._marked

    def turn(self) -> bool:
        """Advance it as far as it may go. Return whether there are events to send; if so, send them and call `sent`.

        Raise `DemoError` if it has stood still for so long that the pipeline must be stuck.
        """
        before = list(self._watermark.passed)
        self._watermark.advance()
        turned_s, self._turned_s = self._turned_s, monotonic()
        step_ms = int(min(self._turned_s - turned_s, _TURN_S_MAX) * self._calendar.days_per_s * DAY_MS)
        applied, *_, evaluated = self._watermark.passed
        latest_ms = min(applied.sent_ms, evaluated.at_ms + self._lead_ms, self._calendar.ends_ms)
        if latest_ms > self.now_ms and not self._is_held():
            self.now_ms = min(self.now_ms + step_ms, latest_ms)
            self._clock.turn(self.now_ms)
        self.sends_until_ms = min(self.now_ms + self._ahead_ms, self._calendar.ends_ms)
        has_something_to_send = self._marked is None or self._marked[:2] != (self.now_ms, self.sends_until_ms)
        if has_something_to_send or self._watermark.passed != before:
            self._moved_s = monotonic()
        elif self.now_ms < self._calendar.ends_ms and monotonic() - self._moved_s > _STANDS_STILL_S_MAX:
            minutes = f"{_STANDS_STILL_S_MAX / 60:.0f} minutes"
            raise DemoError(
                f"The demo's clock has stood still for {minutes}. It waits for {self._watermark.waits_for}."
            )
        return has_something_to_send

    def sent(self, alive: Collection[str]) -> None:
        """Note that events up to ``sends_until_ms`` and heartbeats of these sources were sent. Raise KafkaError."""
        self._marked = self._applied.mark(self.now_ms, sent_ms=self.sends_until_ms, alive=alive)
        self._watermark.add(self._marked)

    def _is_held(self) -> bool:
        return self._unnotified is not None and self._unnotified.are_left()
