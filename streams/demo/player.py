from collections import Counter, deque
from collections.abc import Mapping
from time import monotonic
from typing import Final

from flatline.demo.notices import alert_of
from flatline.demo.pacing import PacedClock
from flatline.demo.play import Play
from flatline.demo.pusher import Pusher
from flatline.demo.screen import Screen
from flatline.demo.slack_inbox import SlackInbox
from flatline.demo.worker_gauges import WorkerGauges
from flatline.domain.time import DAY_MS, to_datetime
from flatline.local.stack import LocalStack

_TICK_S: Final = 0.2
_LOOK_EVERY_S: Final = 1.0
_DAY_S: Final = DAY_MS / 1000


class Player:
    """Sends the events of a play as the installation's clock advances, and shows what comes of them."""

    def __init__(
        self,
        play: Play,
        stack: LocalStack,
        clock: PacedClock,
        inbox: SlackInbox,
        screen: Screen,
        *,
        tokens: Mapping[str, str],
    ) -> None:
        """``tokens`` has the ingest's token of each source of the play."""
        self._play = play
        self._stack = stack
        self._inbox = inbox
        self._screen = screen
        self._clock = clock
        address = stack.addresses["ingest"]
        self._pushers = {source: Pusher(address, token, wait=stack.wait) for source, token in tokens.items()}
        self._acts = deque(play.acts())
        self._played_ms = play.begins_ms
        self._pushed = self._rejected = 0
        self._looked_at_s = 0.0
        self._gauges: WorkerGauges | None = None
        self._unseen_most = 0

    @property
    def is_over(self) -> bool:
        """Whether the play has reached its end. Life goes on after that, if somebody stays to watch."""
        return self._played_ms >= self._play.ends_ms

    @property
    def is_shown_in_slack(self) -> bool:
        """Whether Slack has received every alert of the play. That alerts have ended may still be reported."""
        return self.is_over and self._clock.has_shown(self._play.ends_ms)

    def go_on(self) -> None:
        """Wait a moment, send the events that happened in it, and update the screen.

        Raises LaunchError when the installation has stopped working.
        """
        self._stack.wait(_TICK_S)
        has_something_to_send = self._clock.turn()
        now_ms = self._clock.now_ms
        while self._acts and self._acts[0].at_ms <= now_ms:
            act = self._acts.popleft()
            self._screen.happens(to_datetime(act.at_ms), act.words)
        if has_something_to_send:
            self._report(now_ms)
        for message in self._inbox.arrivals():
            self._screen.slack(to_datetime(now_ms), message)
        if monotonic() >= self._looked_at_s + _LOOK_EVERY_S:
            self._looked_at_s = monotonic()
            self._look(now_ms)

    def outcome(self) -> list[tuple[int, str]]:
        """Return the number of pushed links, of articles in each state, and of messages."""
        articles = self._gauges.articles if self._gauges else {}
        messages = Counter(map(alert_of, self._inbox.messages))
        counts = [
            (self._pushed - self._rejected, "links were pushed"),
            (self._rejected, "more were rejected"),
            *((count, f"articles are {state}") for state, count in articles.items()),
            (self._unseen_most, "articles at most could not be seen at the same time, because a source was stale"),
            *((count, f"Slack messages on {alert}") for alert, count in messages.items()),
        ]
        return [(count, words) for count, words in counts if count]

    def _report(self, now_ms: int) -> None:
        """Have each source send what it has seen since the last time; those that are alive also send a heartbeat."""
        until_ms = self._clock.sends_until_ms
        reports = self._play.reports(from_ms=self._played_ms, until_ms=until_ms)
        alive = frozenset(self._play.sources(now_ms))
        for source, pusher in self._pushers.items():
            if lines := [report.line for report in reports if report.source == source]:
                self._rejected += pusher.links(lines)
                self._pushed += len(lines)
            if source in alive:
                pusher.heartbeat(seen_until=to_datetime(now_ms), period_s=self._play.period_days * _DAY_S)
        self._played_ms = until_ms
        self._clock.sent(alive)

    def _look(self, now_ms: int) -> None:
        self._gauges = WorkerGauges.of(self._stack.addresses["worker-1"])
        if self._gauges:
            self._unseen_most = max(self._unseen_most, self._gauges.unseen)
        left_ms = self._play.ends_ms - now_ms
        self._screen.stands(
            to_datetime(now_ms),
            share=1 - left_ms / (self._play.ends_ms - self._play.begins_ms),
            pushed=self._pushed,
            gauges=self._gauges,
            left_s=self._clock.left_s,
        )
