"""A simulated portfolio of groups, whose truth is known, through `flatline backtest`."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cli.in_process import flatline

pytestmark = pytest.mark.long

START = datetime(2020, 1, 1, tzinfo=UTC)
DECLINE_DAY, DEATH_DAY, IMPORT_DAY, END_DAY = 900, 900, 1_000, 1_260
DECLINE_DAYS = 180
ARTICLES = 20
SERIES = ("declining", "steady", "unseen", "imported")


def _links(rng: random.Random, series: str, number: int) -> Iterator[tuple[int, str]]:
    """Yield the days on which an article of a series gains a link, and how it is found."""
    if series == "imported":
        yield from ((rng.randrange(IMPORT_DAY), "import") for _ in range(40))
        return
    for day in range(number * 10, END_DAY):
        rate = 0.04
        if series == "declining":
            rate *= 1 - 0.9 * min(1.0, max(0.0, (day - DECLINE_DAY) / DECLINE_DAYS))
        if series == "unseen" and day >= DEATH_DAY:
            return
        if rng.random() < rate:
            yield day, "link_found"


def _day(day: int) -> str:
    return (START + timedelta(days=day)).isoformat()


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return what the backtest says of four series; the source of one dies, another's history is imported."""
    folder, rng = tmp_path_factory.mktemp("portfolio"), random.Random(5)
    names = [(series, number) for series in SERIES for number in range(ARTICLES)]
    events = [
        {
            "url_from": f"https://from-{day}-{count}.example/{series}/{number}",
            "url_to": f"https://{series}.example/{number}",
            "occurred_at": _day(day),
            "discovery": discovery,
            "source": "dying" if series == "unseen" else "crawler",
        }
        for series, number in names
        for count, (day, discovery) in enumerate(_links(rng, series, number))
    ]
    heartbeats = [
        {"source": source, "sent_at": _day(day), "seen_until": _day(day), "period_s": 86_400}
        for source, until in (("dying", DEATH_DAY), ("crawler", END_DAY))
        for day in range(until)
    ]
    articles = [{"url": f"https://{series}.example/{number}", "series": series} for series, number in names]
    files = {"links": events, "heartbeats": heartbeats, "articles": articles}
    for name, records in files.items():
        (folder / f"{name}.ndjson").write_text("".join(json.dumps(record) + "\n" for record in records))
    options = [f"--{name}={folder / name}.ndjson" for name in ("heartbeats", "articles")]
    run = flatline("backtest", folder / "links.ndjson", *options, "--json")
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_a_slow_decline_is_found_before_most_of_its_articles(found: Any) -> None:
    """The series is said to be under its curve while most of its articles are not silent yet."""
    alert = next(each for each in found["group_alerts"] if (each["kind"], each["name"]) == ("series", "declining"))
    assert _day(DECLINE_DAY)[:10] < alert["date"] < _day(END_DAY)[:10]
    assert alert["gained"] < alert["expected"]
    before = {
        each["article"]
        for each in found["alerts"]
        if each["kind"] == "silent" and "declining" in each["article"] and each["date"] < alert["date"]
    }
    assert len(before) < ARTICLES / 2


def test_articles_are_told_with_their_group(found: Any) -> None:
    """Silences of a series whose alert stands are taken over by it, those before are not."""
    alert = next(each for each in found["group_alerts"] if (each["kind"], each["name"]) == ("series", "declining"))
    silent = [each for each in found["alerts"] if each["kind"] == "silent" and "declining" in each["article"]]
    standing = [each for each in silent if each["date"] >= alert["date"]]
    assert standing
    assert all(
        each.get("taken_over", False)
        == (each["date"] >= alert["date"] and (alert["until"] is None or each["date"] < alert["until"]))
        for each in silent
    )


@pytest.mark.parametrize("series", ["steady", "unseen", "imported"])
def test_the_others_are_left_alone(found: Any, series: str) -> None:
    """Nothing changed; nobody could see it; and history that was imported promises nothing."""
    assert not [each for each in found["group_alerts"] if series in each["name"]]


def test_they_are_counted(found: Any) -> None:
    """The count is of what is listed."""
    assert found["group_alert_count"] == len(found["group_alerts"]) > 0
