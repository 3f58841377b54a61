"""Imports without a label in known histories: what is said is what is said where they have one."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Final, NamedTuple
from zlib import crc32

import pytest

from flatline.backtest.explaining import explain_history
from flatline.backtest.histories import Histories
from flatline.backtest.histories import Line as LineOfFile
from flatline.backtest.replay import Ending, ending_of, judgements
from flatline.backtest.visibility_history import VisibilityHistory
from flatline.domain.imports.moments import Moment
from flatline.domain.policy.policy import Policy
from flatline.domain.time import DAY_MS, day_of, to_datetime, to_ms
from flatline.schema.verdict import State
from flatline_connectors.files.lines import LineFile

OPEN_HALF: Final = Path(__file__).parents[3] / "shared" / "data" / "open.ndjson.zst"
NOW_MS: Final = 1_800_000_000_000
SHARE: Final = 4
"""One article in so many is replayed."""
WEEKS: Final = 86
MOMENT_MS: Final = 19_700 * DAY_MS + 12_345_000


class Line(NamedTuple):
    """A line of a file."""

    number: int
    value: bytes


def histories(*, links: int, discovery: str | None = None) -> Histories:
    """Return an article that gains a link every week, and so many more at one moment, of which each page has two."""
    article, other = "https://yours.example/a", "https://yours.example/b"
    weekly = [
        (f"https://weekly-{day}.example/", article, day * DAY_MS + 1) for day in range(19_000, 19_000 + 7 * WEEKS, 7)
    ]
    at_once = [
        (f"https://blog.example/{number // 2}", (article, other)[number % 2], MOMENT_MS) for number in range(links)
    ]
    lines = [
        {"url_from": page, "url_to": url, "occurred_at": to_datetime(at_ms).isoformat(), "source": "git:one"}
        for page, url, at_ms in (*weekly, *at_once)
    ]
    if discovery is not None:
        lines.append({**lines[0], "url_from": "https://labelled.example/", "url_to": other, "discovery": discovery})
    found = Histories(about=article.encode())
    numbered = [Line(number, json.dumps(line).encode()) for number, line in enumerate(lines, 1)]
    found.read_links("links", numbered, recorded_ms=NOW_MS)
    return found


@pytest.mark.parametrize(
    ("links", "discovery", "imported"), [(50, None, 25), (49, None, 0), (50, "import", 0), (50, "page_found", 25)]
)
def test_an_explanation_names_the_import(links: int, discovery: str | None, imported: int) -> None:
    """Its links count, but are no new links; of a source that labels its imports none is recognised."""
    found = explain_history(
        histories(links=links, discovery=discovery), b"https://yours.example/a", Policy(), on_day=19_701, links=3
    )
    assert found is not None
    assert [(each.source, each.links) for each in found.recognised_imports] == [("git:one", imported)] * bool(imported)
    newest = found.links[0]
    assert newest.is_recognised_import is bool(imported)
    assert newest.is_sign_of_life is not bool(imported)
    at_once = (links + 1) // 2
    assert found.verdict.gained_total == WEEKS + at_once
    assert found.verdict.gained_in_days.last_7 == at_once - imported
    assert found.pace is not None
    assert found.pace.link_days == WEEKS + (not imported)


@pytest.mark.long
def test_the_public_histories_without_their_labels(capsys: pytest.CaptureFixture[str]) -> None:
    """No more than twice the bursts, and no more than 1.05 times the false silences, of the same with labels."""
    if not OPEN_HALF.exists():
        pytest.skip("the public histories are not on this machine")
    labels, unlabelled_lines = _labels(), (_without_label(line) for line in LineFile(OPEN_HALF))
    unlabelled = _read(unlabelled_lines)
    recognised = sum((count for moment, count in labels.items() if moment in unlabelled.imports), Counter[str]())
    precision = recognised["import"] / recognised.total()
    recall = recognised["import"] / sum(count["import"] for count in labels.values())
    without, with_labels = _said(unlabelled), _said(_read(LineFile(OPEN_HALF)))
    with capsys.disabled():
        print(f"\nprecision {precision:.2f}, recall {recall:.2f}\nwith labels {with_labels}\nwithout     {without}")  # noqa: T201
    assert precision >= 0.8
    assert recall >= 0.89
    assert without[State.BURSTING] <= 2 * with_labels[State.BURSTING]
    assert without[Ending.WRONG] <= 1.05 * with_labels[Ending.WRONG]


def _labels() -> dict[Moment, Counter[str]]:
    """Return by moment how many gains have which label."""
    labels: dict[Moment, Counter[str]] = defaultdict(Counter)
    for line in LineFile(OPEN_HALF):
        event = json.loads(line.value)
        if event["change"] == "gained":
            labels[event["source"], to_ms(datetime.fromisoformat(event["occurred_at"]))][event["discovery"]] += 1
    return labels


def _without_label(line: LineOfFile) -> Line:
    return Line(line.number, line.value.replace(b'"discovery":"import"', b'"discovery":"link_found"'))


def _read(lines: Iterable[LineOfFile]) -> Histories:
    read = Histories()
    read.read_links(OPEN_HALF.name, lines, recorded_ms=NOW_MS)
    return read


def _said(read: Histories) -> Counter[str]:
    """Return how often an article entered a state, and how silences ended."""
    end_day, policy = day_of(read.end_ms), Policy()
    visibility = VisibilityHistory(read.heartbeats, read.reports, end_day=end_day)
    said = Counter[str]()
    for key in read.keys:
        if crc32(key) % SHARE:
            continue
        history = read.of(key)
        days = history.link_days()
        if len(days) < policy.thresholds_of(None).link_days_min:
            continue
        judged = judgements(history, policy, end_day=end_day, visibility=visibility)
        states = ((day, each.judgement.state) for day, _, each in judged)
        for state, entered in groupby(states, key=itemgetter(1)):
            said[state] += 1
            if state is State.SILENT:
                day, _ = next(entered)
                said[ending_of(days, end_day, policy.hazard.horizon_days, day)] += 1
    return said
