"""Rounds of the survey: each article once, every group whole, and nothing of what vanished."""

from collections import Counter, defaultdict

import pytest

from flatline.agents import survey
from flatline.agents.judge import Judge
from flatline.agents.survey import GroupVerdicts, Surveyor
from flatline.domain.groups.survey import Group
from flatline.domain.groups.totals import GroupTotals
from flatline.domain.policy.policy import Policy
from flatline.domain.policy.thresholds import Thresholds
from flatline.domain.state import link
from flatline.domain.state.article import LinkObservation, Registration
from flatline.domain.time import DAY_MS
from flatline.domain.visibility.visibility import Visibility
from flatline.engine.log import Outgoing
from flatline.schema.group import GroupKind, GroupState
from flatline.schema.topics import Topics
from tests.agents.judging import judge_all
from tests.engine.stand_ins import running_task

START = 20_000


class Bench:
    """A judge over one partition whose clock is turned by hand, and what it wrote."""

    def __init__(self) -> None:
        self.day = START
        self.topics = Topics(partitions=1)
        self.group_totals, self.groups, self.task = GroupTotals(1), GroupVerdicts(), running_task()
        self.surveyor = Surveyor(
            topics=self.topics, thresholds=Thresholds(), group_totals=self.group_totals, groups=self.groups
        )
        self.judge = Judge(topics=self.topics, policy=Policy(), group_totals=self.group_totals, surveyor=self.surveyor)

    def now_ms(self) -> int:
        """Return one in the morning."""
        return self.day * DAY_MS + 3_600_000

    def link(self, number: int, *days: int, series: str = "Field Notes") -> None:
        """Have an article gain a link on each of these days."""
        key = b"https://yours.example/%d" % number
        article = self.task.articles.get(key) or self.task.articles.create(key, now_ms=self.now_ms())
        article.header.registration = Registration(series=series)
        effects: defaultdict[tuple[str | None, link.Effect], int] = defaultdict(int)
        observations = [
            LinkObservation(key, day.to_bytes(8, "big"), day.to_bytes(6, "big"), True, day * DAY_MS, link.ORGANIC)
            for day in days
        ]
        article.apply(observations, effects)
        self.task.articles.touch(article)

    def settle(self) -> list[Outgoing]:
        """Commit once, and have the totals receive what was written."""
        written = judge_all(self.task, self.judge, self.surveyor, now_ms=self.now_ms(), visibility=Visibility())
        list(self.task.articles.take_changes())
        for record in written:
            if record.topic == self.topics.group_parts.name and record.key and record.value:
                self.group_totals.receive_record(record.key, record.value)
        return written

    def series(self) -> dict[str, int]:
        """Return the articles of each series."""
        return {g.name: w.sums.articles for g, w in self.group_totals.by_group.items() if g.kind is GroupKind.SERIES}


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Return one whose rounds wait for nothing but articles."""
    monkeypatch.setattr(survey, "ROUND_S_MIN", 0.0)
    return Bench()


def test_each_article_counts_once_however_often_it_changes(bench: Bench) -> None:
    """Articles that are judged ten times a round are in it once, and the next round begins anew."""
    for day in range(3):
        bench.day = START + day
        for moment in range(10):
            for number in range(6):
                bench.link(number, START - 50 + number, START + day, START - 200 - moment)
            bench.settle()
        assert bench.series() == {"Field Notes": 6}


def test_a_round_ends_when_all_were_judged(bench: Bench) -> None:
    """Whoever isn't due until tomorrow keeps the round open until then."""
    for number in range(4):
        bench.link(number, START - 9)
    bench.settle()
    ends = Counter(record.key for record in bench.settle() if record.topic == bench.topics.group_parts.name)
    assert not ends
    bench.link(9, START - 2)
    bench.settle()
    assert bench.series() == {"Field Notes": 4}
    bench.day += 2
    bench.settle()
    assert bench.series() == {"Field Notes": 5}


def test_a_series_that_vanished_leaves_a_tombstone(bench: Bench) -> None:
    """Renamed, its part is gone from the sums, and compaction may forget it."""
    for number in range(4):
        bench.link(number, START - 9)
    bench.settle()
    for number in range(4):
        bench.link(number, START - 9, series="Tides")
    bench.day += 2
    written = bench.settle()
    assert bench.series() == {"Tides": 4}
    assert [record.key for record in written if record.value is None and record.topic == bench.topics.group_parts.name]
    bench.day += 2
    bench.settle()
    assert Group(GroupKind.SERIES, "Field Notes") not in bench.groups.verdicts
    assert Group(GroupKind.SERIES, "Tides") in bench.groups.verdicts


def test_a_series_that_dies_under_watch_is_said_once_and_taken_back_when_links_come_again(bench: Bench) -> None:
    """From import to shortfall to recovery, day by day, with what a worker really does."""
    said: list[tuple[int, GroupState]] = []
    for number in range(8):
        bench.link(number, *range(START - 600 + number, START, 8))
    for day in range(START, START + 300, 2):
        bench.day = day
        if not START + 60 <= day < START + 120:
            for number in range(8):
                if day % 8 == number % 8 // 2 * 2:
                    bench.link(number, day)
        for record in bench.settle():
            if record.topic == bench.topics.groups.name and record.key == b"series/Field Notes":
                state = bench.groups.verdicts[Group(GroupKind.SERIES, "Field Notes")].state
                if not said or said[-1][1] is not state:
                    said.append((day - START, state))
    states = [state for _, state in said]
    assert states[:3] == [GroupState.NEW, GroupState.ON_CURVE, GroupState.UNDER_CURVE]
    assert states.count(GroupState.UNDER_CURVE) == 1
    assert states[-1] is GroupState.ON_CURVE
    days = [day for day, _ in said]
    assert 60 < days[2] <= 92
    assert days[3] > 120
