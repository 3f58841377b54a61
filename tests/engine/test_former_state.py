"""State that the former version (c9a4a4f) wrote is read. Its code made `state_of_c9a4a4f` from the events beside it."""

from base64 import b64decode
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

from flatline.domain.state.article import Article
from flatline.engine.partition import Partition
from flatline.schema.verdict import FindingKind, State

FOLDER = Path(__file__).with_name("state_of_c9a4a4f")
MANY, FEW = "https://yours.example/many", "https://yours.example/few"


def _rows(name: str) -> list[Any]:
    return [orjson.loads(line) for line in (FOLDER / name).read_bytes().splitlines()]


def _stored() -> list[tuple[bytes, bytes]]:
    return [(b64decode(row["key"]), b64decode(row["value"])) for row in _rows("records.ndjson")]


def _restored(records: list[tuple[bytes, bytes]]) -> Partition:
    partition = Partition()
    for key, value in records:
        partition.restore(key, value)
    return partition


@pytest.fixture
def partition() -> Partition:
    """Return the partition that the stored records make."""
    return _restored(_stored())


def _article(partition: Partition, url: str) -> Article:
    article = partition.get(url.encode())
    assert article is not None
    return article


@pytest.mark.parametrize("url", [MANY, FEW])
@pytest.mark.parametrize("is_written_again", [False, True])
def test_links(partition: Partition, url: str, is_written_again: bool) -> None:
    """Counts are those of the events, also after this version wrote all of it again."""
    if is_written_again:
        for each in (MANY, FEW):
            article = _article(partition, each)
            dict(article.encode_further(only_changed=False))
            partition.touch(article)
        again = dict(partition.take_changes())
        first = {b64decode(row["key"]): b64decode(row["value"]) for row in _rows("records.ndjson")}
        partition = _restored([(key, value) for key, value in (first | again).items() if value is not None])
    events = [event for event in _rows("events.ndjson") if event["url_to"] == url]
    gained = {event["url_from"] for event in events if event.get("change") != "lost"}
    lost = {event["url_from"] for event in events if event.get("change") == "lost"}
    totals = _article(partition, url).totals
    assert (totals.gained, totals.lost) == (len(gained), len(gained & lost))
    assert totals.referring_domains == len({urlsplit(page).hostname for page in gained})


def test_header_and_visits(partition: Partition) -> None:
    """Registration, sources, the last verdict and visits are there; what the former version did not know is empty."""
    article = _article(partition, FEW)
    header = article.header
    assert (header.registration.title, header.registration.tier, header.registration.aliases) == ("Few links", 1, ())
    assert header.sources.keys() == {event["source"] for event in _rows("events.ndjson")}
    assert header.previous_verdict is not None
    assert header.previous_verdict.state is State.COOLING
    assert header.previous_verdict.found.keys() == {FindingKind.QUALITY_GONE}
    assert (header.removed_ms, header.moved_to, header.is_copy) == (0, None, False)
    assert partition.source_histories.keys() == header.sources.keys()
    assert len(article.visiting_domains) == len({row["domain"] for row in _rows("visits.ndjson")})
