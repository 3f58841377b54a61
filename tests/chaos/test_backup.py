"""A backup of the log, restored on an empty cluster, leads to the same verdicts."""

import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

from flatline.engine.log import Outgoing
from flatline.schema.topics import Topic, Topics
from tests.chaos.flow import write_all
from tests.chaos.reference import reference
from tests.chaos.saying import say
from tests.chaos.scale import pick
from tests.chaos.trial import PARTITIONS, Trial
from tests.integration.reading import read
from tests.integration.running import Installation
from tests.waiting import until

EVENTS = pick(short=3_000, full=300_000)
BACKUPS = Path(__file__).parents[2] / "deploy" / "BACKUPS.md"
REMOVED, REGISTERED = "https://blog.example.com/removed", "https://blog.example.com/registered"


def test_restored_equals_original(trial: Trial, kafka_bootstrap: str, namespace: str, tmp_path: Path) -> None:
    """Articles, their states and since when, dead letters, removals and moves are those of the original.

    What is copied is what the page on backups names. Records that no worker has read yet when they are copied count, on
    whatever partition they are.
    """
    original = trial.installation
    original.start(1)
    write_all(trial.bootstrap, [*trial.events.one_each(), *islice(trial.events, EVENTS)])
    original.run("articles", "add", REMOVED)
    original.run("articles", "add", REGISTERED, "--title", "Registered", "--series", "Series")
    trial.wait_caught_up()
    original.run("articles", "remove", REMOVED, "--yes")
    original.run("sites", "move", trial.events.articles[0], f"{trial.events.articles[0]}-moved", "--yes")
    until("it is removed", lambda: REMOVED not in original.articles())
    before = {key: _comparable(row) for key, row in original.articles().items()}
    original.kill(1)
    unread = list(islice(trial.events, EVENTS // 10))
    write_all(trial.bootstrap, unread)
    copied = [record for topic in _kept(trial.topics) for record in _copied(trial.bootstrap, topic)]
    original.start(1)
    trial.wait_caught_up()
    expected = original.articles()
    assert REGISTERED in expected
    assert REMOVED not in expected

    (tmp_path / "restored").mkdir()
    with closing(
        Installation(kafka_bootstrap, namespace, tmp_path / "restored", FLATLINE_PARTITIONS=str(PARTITIONS))
    ) as restored:
        restored.run("topics", "create")
        write_all(kafka_bootstrap, copied)
        began_s = time.monotonic()
        restored.run("state", "rebuild")
        say(f"the state was rebuilt from {len(copied)} records in {time.monotonic() - began_s:.0f} s")
        restored.start(1)
        restored.wait_ready(1)
        found = restored.articles()
    # What stood when the copy was made still stands since then; what unread records changed is said at another time.
    changed = {row["article"] for row in expected.values() if before.get(row["article"]) != _comparable(row)}
    assert len(changed) < len(before)
    assert {key: _comparable(row, is_changed=key in changed) for key, row in found.items()} == {
        key: _comparable(row, is_changed=key in changed) for key, row in expected.items()
    }
    assert _letters(kafka_bootstrap, trial.topics) == _letters(trial.bootstrap, trial.topics)
    log = read(kafka_bootstrap, trial.topics.links, isolation_level="read_committed")
    counts = reference(log).counts
    # That of the first article is counted where it moved to.
    for article in trial.events.articles[1:]:
        row, count = found[article], counts[article]
        said = tuple(row[name] for name in ("gained_total", "lost_total", "live", "referring_domains"))
        assert said == count[:4], article


def test_the_page_names_every_topic() -> None:
    """A topic is kept, or the page says why not."""
    said = BACKUPS.read_text()
    missing = [topic.name for topic in Topics().all() if f"`{topic.name}`" not in said]
    assert not missing


def _kept(topics: Topics) -> list[Topic]:
    """Return the topics that the page on backups says to keep."""
    named = set(re.findall(r"^\| `flatline\.([^`]+)` \|", BACKUPS.read_text(), re.MULTILINE))
    kept = [topic for topic in topics.all() if topic.name.removeprefix(f"{topics.namespace}.") in named]
    assert len(kept) == len(named)
    return kept


def _copied(bootstrap: str, topic: Topic) -> Iterator[Outgoing]:
    for record in read(bootstrap, topic, isolation_level="read_committed"):
        headers = [(name, word.encode()) for name, word in record.headers.items()]
        yield Outgoing(topic.name, record.partition, record.key, record.value, record.timestamp_ms, headers)


def _comparable(row: Mapping[str, Any], *, is_changed: bool = False) -> dict[str, Any]:
    others = ("judged_at", "as_of_offset", *(("since", "watched_since") if is_changed else ()))
    return {name: value for name, value in row.items() if name not in others}


def _letters(bootstrap: str, topics: Topics) -> Counter[tuple[bytes | None, str]]:
    letters = read(bootstrap, topics.dead_letters, isolation_level="read_committed")
    return Counter((letter.value, letter.headers["reason"]) for letter in letters)
