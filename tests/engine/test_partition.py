"""A partition of the state: what is written reads back, and what is written again is little."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.state import article as article_module
from flatline.domain.state.article import LinkObservation
from flatline.domain.state.link import ORGANIC
from flatline.domain.state.totals import Totals
from flatline.domain.visibility.source_history import SourceReport
from flatline.engine import partition as partition_module
from flatline.engine.partition import SOURCES_MAX, Partition
from tests.examples import examples

KEYS = [f"https://yours.example/{number}".encode() for number in range(4)]
T0 = 1_780_000_000_000

events = st.lists(st.tuples(st.sampled_from(KEYS), st.integers(0, 2_000), st.booleans()), max_size=120)
commits = st.lists(events, max_size=5)


@pytest.fixture(autouse=True, scope="module")
def small_segments() -> Iterator[None]:
    """Make segments so small that a few events fill and split them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(article_module, "SEGMENT_LINKS_MAX", 4)
        yield


def _apply(partition: Partition, batch: list[tuple[bytes, int, bool]]) -> None:
    for key, page, gained in batch:
        article = partition.get(key) or partition.create(key, now_ms=T0)
        fingerprint = (page * 0x9E3779B97F4A7C15 % (1 << 64)).to_bytes(8, "big")
        observation = LinkObservation(key, fingerprint, (page % 50).to_bytes(6, "big"), gained, T0 + page, ORGANIC)
        if article.apply([observation], Counter()):
            partition.touch(article)


def _figures(partition: Partition) -> dict[bytes, Totals]:
    return {key: article.totals for key in partition if (article := partition.peek(key))}


@examples(80)
@given(commits)
def test_the_changelog_restores_the_state(batches: list[list[tuple[bytes, int, bool]]]) -> None:
    """A partition restored from the compacted changelog is the one that wrote it."""
    partition, changelog = Partition(), dict[bytes, bytes]()
    for batch in batches:
        _apply(partition, batch)
        changelog.update(partition.take_changes())
    restored = Partition()
    for key, value in changelog.items():
        restored.restore(key, value)
    assert _figures(restored) == _figures(partition)


def test_cooling_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for no warm article at all, every commit ends with bytes alone, and the figures stay right."""
    monkeypatch.setattr(partition_module, "WARM_SEGMENTS_MAX", 0)
    small, large = Partition(), Partition()
    for start in range(0, 600, 100):
        batch = [(KEYS[page % 4], page, True) for page in range(start, start + 100)]
        _apply(small, batch)
        list(small.take_changes())
        asyncio.run(small.cool())
        _apply(large, batch)
    assert _figures(small) == _figures(large)


def test_unchanged_articles_are_not_written() -> None:
    """A commit writes the articles that changed, and only those: events that come again change nothing."""
    partition = Partition()
    _apply(partition, [(key, page, True) for key in KEYS for page in range(3)])
    list(partition.take_changes())
    _apply(partition, [(KEYS[2], 99, True), (KEYS[1], 2, True)])
    assert [key for key, _ in partition.take_changes()] == [KEYS[2]]
    assert not partition.is_changed
    assert not list(partition.take_changes())


@examples(60)
@given(commits, st.randoms(use_true_random=False))
def test_changes_say_what_was_known_when_they_were_taken(
    batches: list[list[tuple[bytes, int, bool]]], chance: Random
) -> None:
    """What is learned while they are written is not in them, and is in the next ones."""
    partition, changelog = Partition(), dict[bytes, bytes | None]()
    for batch in [*batches, []]:
        known, changes = _figures(partition), partition.take_changes()
        for event in batch:
            changelog.update(islice(changes, chance.randrange(3)))
            _apply(partition, [event])
        changelog.update(changes)
        restored = Partition()
        for key, value in changelog.items():
            restored.restore(key, value)
        assert _figures(restored) == known


def test_what_was_looked_at_and_put_back_is_written() -> None:
    """An article that was bytes, looked at, changed and put back is written, and is the one that everybody gets."""
    partition, changelog = Partition(), dict[bytes, bytes]()
    _apply(partition, [(KEYS[0], page, True) for page in range(20)])
    changelog.update(partition.take_changes())
    restored = Partition()
    for key, value in changelog.items():
        restored.restore(key, value)
    article = restored.peek(KEYS[0])
    assert article is not None
    article.header.watched_since_ms = 7
    restored.put(article)
    _apply(restored, [(KEYS[0], 99, True)])
    changelog.update(restored.take_changes())
    again = Partition()
    for key, value in changelog.items():
        again.restore(key, value)
    read = again.peek(KEYS[0])
    assert read is not None
    assert (read.header.watched_since_ms, read.totals.gained) == (7, 21)


def test_what_was_history_of_sources_is_no_article() -> None:
    """It is written when it changed, reads back beside the articles, and is none of them."""
    partition = Partition()
    partition.create(KEYS[0], now_ms=T0)
    for source in ("north", "süd"):
        history = partition.source_history(source)
        assert history
        history.observe(SourceReport(1, T0, 5), offset=7)
        partition.note_source_changed(source)
    changes = list(partition.take_changes())
    assert not list(partition.take_changes())
    restored = Partition()
    for key, value in changes:
        restored.restore(key, value)
    assert restored.source_histories == partition.source_histories
    assert list(restored) == [KEYS[0]]


def test_sources_are_bounded() -> None:
    """Of the first five hundred something is remembered; of further ones nothing."""
    partition = Partition()
    known = [partition.source_history(f"source-{number}") for number in range(SOURCES_MAX + 3)]
    assert known.count(None) == 3
    assert partition.source_history("source-0") is known[0]
