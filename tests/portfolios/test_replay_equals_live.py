"""What the backtest says of a history is what the worker said when it happened."""

from datetime import date
from random import Random

import pytest

from flatline.backtest.histories import Histories
from flatline.backtest.report import run
from flatline.demo import rhythms
from flatline.domain.policy.policy import Policy
from flatline.domain.time import DAY_MS
from flatline.schema.verdict import FindingKind, State
from tests.portfolios.world import BEGIN, Link, Lives, Source, World

DAYS = 900
EAST = Source("east")
WEST = Source("west", away=range(500, 640))
Told = tuple[str, str, int]


class Line:
    """A line of a file."""

    def __init__(self, number: int, value: bytes) -> None:
        self.number = number
        self.value = value


def _portfolio() -> list[Link]:
    chance = Random(11)
    links = []
    for number in range(12):
        for source in (EAST, WEST):
            article = f"{source.name}-{number}"
            until = chance.randrange(200, 500) if number < 4 else DAYS
            days = rhythms.steady(chance, range(number, until), mean_gap=chance.choice((4, 9, 15)))
            links += [Link(article, day, source=source) for day in days]
            if number == 0:  # stops, and is linked to again
                links += [Link(article, day, source=source) for day in range(820, DAYS, 7)]
            if number == 5:  # loses most of what it has
                links += [
                    Link(article, 400, f"https://{source.name}-{day}.example/{article}", source, "lost")
                    for day in days
                    if day < 400
                ]
            if number == 6:
                links += [
                    Link(article, 300, f"https://old-{page}.example/", source, discovery="import") for page in range(40)
                ]
    return links


def _live(lives: Lives) -> set[Told]:
    """Return who was told of what, when: the beginning of each silence, revival and finding."""
    told = set()
    for article, verdicts in lives.items():
        known: set[str] = set()
        for day, verdict in enumerate(verdicts, DAYS - len(verdicts)):
            kinds = {str(finding.kind) for finding in verdict.findings}
            if verdict.state in {State.SILENT, State.REVIVED}:
                kinds.add(str(verdict.state))
            told |= {(article, kind, day) for kind in kinds - known}
            known = kinds
    return told


def _replayed(links: list[Link]) -> set[Told]:
    histories, world = Histories(), World([])
    events = [world.record_of(link.source.reports_on(link.day), link).value for link in links]
    lines = [Line(number, event) for number, event in enumerate(events, 1)]
    histories.read_links("simulated", lines, recorded_ms=(BEGIN + DAYS) * DAY_MS)
    assert not histories.rejected
    report = run(histories, histories, Policy(), watched_since_ms=BEGIN * DAY_MS).report
    assert [each.source for each in report.source_alerts] == ["west"]
    return {
        (each.article.removeprefix("https://yours.example/"), each.kind, day_of(each.date) - BEGIN)
        for each in report.alerts
    }


def day_of(on: str) -> int:
    """Return the UTC day of a date."""
    return date.fromisoformat(on).toordinal() - date(1970, 1, 1).toordinal()


@pytest.mark.long
def test_the_backtest_says_what_was_said_live() -> None:
    """Stops, returns, losses and imports, with a source that dies for a while: the same alerts on the same days."""
    links = _portfolio()
    live = _live(World(links, sources=[EAST, WEST]).play(days=DAYS))
    replayed = _replayed(links)
    assert len(live) > 10
    assert {kind for _, kind, _ in live} == {State.SILENT, State.REVIVED, FindingKind.MASS_LOSS}
    assert live == replayed
