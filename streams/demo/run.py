"""Runs a demo from beginning to end."""

import sysconfig
from collections.abc import Sequence
from pathlib import Path
from secrets import token_hex
from time import monotonic
from typing import Final

from rich.console import Console

from flatline.demo.expectations import Finding
from flatline.demo.installation import clear, demo_settings
from flatline.demo.pacing import PacedClock
from flatline.demo.past import import_past
from flatline.demo.play import Scenario
from flatline.demo.player import Player
from flatline.demo.screen import Screen
from flatline.demo.slack_inbox import SlackInbox
from flatline.domain.time import to_datetime
from flatline.local.services import services_with_api
from flatline.local.stack import LocalStack
from flatline.settings import Settings

# What is missing when all was told is the end of something, which Alertmanager tells with the group's next message.
_PATIENCE_S: Final = 300


class Demo:
    """Plays a scenario on an installation of its own in ``folder``.

    ``found``   the expectations, and whether they were met; None until all is played
    """

    found: Sequence[Finding] | None = None

    def __init__(self, given: Settings, *, folder: Path, console: Console) -> None:
        """``given`` are the settings to start from. A Kafka that they name is used, in a namespace of its own."""
        self._given = given
        self._folder = folder
        self._screen = Screen(console)

    @property
    def unfulfilled(self) -> list[Finding]:
        """The expectations that were not met, once all is played."""
        return [finding for finding in self.found or () if not finding.is_fine]

    def run(self, scenario: Scenario, *, is_once: bool) -> None:
        """Play; then return if ``is_once``, else stay until Ctrl-C. Raise LaunchError, and what importing raises."""
        screen = self._screen
        screen.say(scenario.opening(), style="bold")
        screen.say(f"Starting everything in {_short(self._folder.resolve())}")
        clear(self._folder)
        given = self._given
        if given.policy_file is None:
            given = given.model_copy(update={"policy_file": scenario.policy_file})
        tokens = {source: token_hex(32) for source in scenario.sources}
        with SlackInbox() as inbox:
            settings = demo_settings(
                given, folder=self._folder, calendar=scenario.calendar, webhook_url=inbox.url, tokens=tokens
            )
            with LocalStack(self._folder, settings, services=services_with_api, say=screen.say) as stack:
                try:
                    with screen.panel():
                        self._play(scenario, stack, inbox, tokens, is_once=is_once)
                finally:
                    screen.say("Stopping everything.")

    def _play(
        self, scenario: Scenario, stack: LocalStack, inbox: SlackInbox, tokens: dict[str, str], *, is_once: bool
    ) -> None:
        screen = self._screen
        screen.say(f"Watch it in a browser: {_page(stack)}", style="bold")
        play = scenario.play(stack.settings.data_dir)
        tally = import_past(play, stack, say=screen.status)
        screen.imported(tally, until=to_datetime(play.begins_ms))
        with PacedClock(stack, scenario.calendar, period_days=play.period_days, inbox=inbox) as clock:
            player = Player(play, stack, clock, inbox, screen, tokens=tokens)
            while not player.is_shown_in_slack:
                player.go_on()
            self.found = _aftermath(scenario, player, inbox)
            screen.outcome(player.outcome())
            screen.found(self.found)
            if not is_once:
                screen.places(_places(stack))
                stops_at = to_datetime(scenario.calendar.ends_ms)
                screen.say(f"The clock stops on {stops_at:%Y-%m-%d}. Everything stays available until Ctrl-C.")
            while not is_once:
                player.go_on()


def _aftermath(scenario: Scenario, player: Player, inbox: SlackInbox) -> Sequence[Finding]:
    """Go on until all expectations are met, or none can be met any more; return the findings."""
    give_up_at_s = monotonic() + _PATIENCE_S
    while True:
        player.go_on()
        found = scenario.findings(inbox.messages, inbox.violations)
        is_something_missing = any(finding.may_come and not finding.is_fine for finding in found)
        if not is_something_missing or monotonic() > give_up_at_s:
            return found


def _places(stack: LocalStack) -> list[tuple[str, str]]:
    folder, addresses = stack.settings.data_dir, stack.addresses
    flatline = Path(sysconfig.get_path("scripts")) / "flatline"
    return [
        ("page", _page(stack)),
        ("alerts", f"http://{addresses['prometheus']}/alerts"),
        (
            "articles by state",
            f"http://{addresses['prometheus']}/graph?g0.tab=0&g0.range_input=5m&g0.expr=flatline_articles",
        ),
        ("alerts sent", f"http://{addresses['alertmanager']}"),
        ("worker's metrics", f"http://{addresses['worker-1']}/metrics"),
        ("ingest's metrics", f"http://{addresses['ingest']}/metrics"),
        ("articles", f"FLATLINE_DATA_DIR='{_short(folder)}' {_short(flatline)} articles list --sort since"),
        ("logs", str(_short(folder / "logs"))),
    ]


def _page(stack: LocalStack) -> str:
    return f"http://{stack.addresses['api']}/"


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
