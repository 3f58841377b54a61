"""A partition of the state: what is written reads back, and what is written again is little."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.domain import segments
from streams.engine import partition as partition_module
from streams.engine.partition import Partition

KEYS = [f"https://yours.example/{number}".encode() for number in range(4)]
T0 = 1_780_000_000_000

events = st.lists(st.tuples(st.sampled_from(KEYS), st.integers(0, 2_000), st.booleans()), max_size=120)
commits = st.lists(events, max_size=5)


@pytest.fixture(autouse=True, scope="module")
def small_segments() -> Iterator[None]:
    """Make segments so small that a few events fill and split them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segments, "SEGMENT_ENTRIES_MAX", 4)
        yield


def _apply(partition: Partition, batch: list[tuple[bytes, int, bool]]) -> None:
    for key, page, gained in batch:
        article = partition.open(key, now_ms=T0)
        article.see(
            url_from=page * 0x9E3779B97F4A7C15 % (1 << 64),
            domain=page % 50,
            gained=gained,
            at_ms=T0 + page,
            organic=True,
            rel=0,
            source=None,
        )
        if article.is_changed:
            partition.touch(key)


def _figures(partition: Partition) -> dict[bytes, tuple[int, int, int, int]]:
    figures = {}
    for key in partition:
        article = partition.get(key)
        assert article is not None
        figures[key] = (article.gained, article.lost, article.live, len(article.domains))
    return figures


@settings(max_examples=80, deadline=None)
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


@settings(max_examples=80, deadline=None)
@given(commits, events, st.data())
def test_any_beginning_of_a_commit_can_be_replayed(
    batches: list[list[tuple[bytes, int, bool]]], last: list[tuple[bytes, int, bool]], data: st.DataObject
) -> None:
    """If a crash lets only a beginning of a commit's writes arrive, applying its events again gives the right state."""
    partition, changelog = Partition(), dict[bytes, bytes]()
    for batch in batches:
        _apply(partition, batch)
        changelog.update(partition.take_changes())
    _apply(partition, last)
    writes = list(partition.take_changes())
    changelog.update(writes[: data.draw(st.integers(0, len(writes)))])
    restored = Partition()
    for key, value in changelog.items():
        restored.restore(key, value)
    _apply(restored, last)
    assert _figures(restored) == _figures(partition)


def test_forgetting_decoded_articles_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for no decoded article at all, every commit ends with bytes alone, and the figures stay right."""
    monkeypatch.setattr(partition_module, "DECODED_ARTICLES_MAX", 0)
    small, large = Partition(), Partition()
    for start in range(0, 600, 100):
        batch = [(KEYS[page % 4], page, True) for page in range(start, start + 100)]
        _apply(small, batch)
        list(small.take_changes())
        _apply(large, batch)
    assert _figures(small) == _figures(large)


def test_unchanged_articles_are_not_written() -> None:
    """A commit writes the articles that changed, and only those: events that come again change nothing."""
    partition = Partition()
    _apply(partition, [(key, page, True) for key in KEYS for page in range(3)])
    list(partition.take_changes())
    _apply(partition, [(KEYS[2], 99, True), (KEYS[1], 2, True)])
    assert [key for key, _ in partition.take_changes()] == [KEYS[2]]
    assert list(partition.take_changes()) == []


def test_another_owners_records_replace_what_was_not_written() -> None:
    """A partition that another worker had in between says what that one wrote; our unwritten changes are forgotten."""
    ours, theirs = Partition(), Partition()
    _apply(ours, [(KEYS[0], 1, True)])
    _apply(theirs, [(KEYS[0], page, True) for page in range(3)])
    for key, value in theirs.take_changes():
        ours.restore(key, value)
    assert list(ours.take_changes()) == []
    assert _figures(ours) == _figures(theirs)
