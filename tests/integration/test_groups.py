"""Groups on a real Kafka: two workers' parts put together, a verdict on each group, and curves learned from them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from flatline.clock import FileClock
from flatline.domain.time import to_ms
from flatline.schema import codec
from flatline.schema.topics import Topics
from tests.integration.reading import read_all
from tests.integration.running import Installation
from tests.waiting import until

ARTICLES = 24
PARTITIONS = 4


def _url(number: int) -> str:
    return f"https://blog.yours.example/{number}"


def _days_before(today: datetime, days: int) -> int:
    return to_ms(today - timedelta(days=days))


def _links(number: int, today: datetime) -> list[bytes]:
    """Return three years of links, one in ten days, which ended sixty days ago."""
    return [
        json.dumps(
            {
                "url_from": f"https://site{age}.example/{number}",
                "url_to": _url(number),
                "occurred_at": (today - timedelta(days=age)).isoformat(),
                "source": "feeds",
            }
        ).encode()
        for age in range(60 + number % 10, 1_100, 10)
    ]


def test_groups_are_judged_whole(kafka_bootstrap: str, namespace: str, tmp_path: Path) -> None:
    """Whichever worker has which articles, a series is judged by all of them, once; a restart changes nothing."""
    # What was before the watch began is no news: it begins with the silence, sixty days ago.
    today = datetime.now(UTC)
    clock = FileClock(tmp_path / "clock")
    clock.turn(_days_before(today, 60))
    topics = Topics(namespace=namespace, partitions=PARTITIONS)
    with Installation(kafka_bootstrap, namespace, tmp_path, FLATLINE_CLOCK_FILE=str(tmp_path / "clock")) as running:
        records = "\n".join(
            json.dumps({"url": _url(number), "series": "Field Notes", "author": "Ann" if number else "Bo"})
            for number in range(ARTICLES)
        )
        running.run("articles", "import", "-", stdin=records.encode())
        links = b"\n".join(line for number in range(ARTICLES) for line in _links(number, today))
        running.run("links", "import", "-", stdin=links)
        running.start(1)
        running.start(2)
        running.wait_ready(1, 2)

        def rows() -> dict[str, dict[str, object]]:
            said = running.run("groups", "list", "--json")
            return {f"{row['kind']}/{row['name']}": row for row in map(orjson.loads, said.splitlines())}

        def is_surveyed() -> bool:
            """Whether all partitions have surveyed their articles at the time that the clock says."""
            ends = {
                record.key: to_ms(codec.survey_rounds.decode(record.value).round_ended_at)
                for record in read_all(kafka_bootstrap, topics.group_parts)
                if b"/" not in record.key
            }
            return len(ends) == PARTITIONS and min(ends.values()) >= clock.now_ms()

        def is_under() -> bool:
            series = rows().get("series/Field Notes")
            return series is not None and series["state"] == "under_curve" and series["last_28"]["gained"] == 0  # type: ignore[index]

        # The clock waits for the workers, or on a busy machine it would leave the silence behind before they look.
        for days in (60, 46, 32, 18, 4):
            clock.turn(_days_before(today, days))
            until(f"all are surveyed {days} days ago", is_surveyed)
        until("the series is under its curve", is_under)
        judged = rows()
        assert judged.keys() == {"series/Field Notes", "author/Ann", "site/yours.example"}
        series = judged["series/Field Notes"]
        assert series["articles"] == ARTICLES
        assert series["last_28"]["expected"] > 20  # type: ignore[index, operator]
        assert "probability of so few if nothing had changed" in str(series["reason"])

        told = {
            record.key: codec.verdicts.decode(record.value) for record in read_all(kafka_bootstrap, topics.verdicts)
        }
        assert len(told) == ARTICLES
        for verdict in told.values():
            assert verdict.expectation is not None
            assert verdict.profile is not None
            assert verdict.profile.share_in_90_days is not None

        metrics = running.get(1, "/metrics")[1] + running.get(2, "/metrics")[1]
        labels = 'channel="",group="Field Notes",kind="series",owner="",state="under_curve",time_zone=""'
        sample = f"flatline_group_state{{{labels}}} 1.0"
        assert metrics.count(sample) == 1

        cohorts = [orjson.loads(line) for line in running.run("cohorts", "list", "--json").splitlines()]
        assert cohorts[0]["share_by_days"]["90"] == 0.66
        site = next(row for row in cohorts if row["kind"] == "site")
        assert site["share_by_days"]["90"] < 0.3

        running.restart()
        until("it is still said", lambda: rows()["series/Field Notes"]["since"] == series["since"])
