"""What is read back of a changelog."""

import pytest

from flatline.engine.log import Changelog, Outgoing
from tests.broker.contract.installation import FILLER_KEY, OUTPUT_TOPIC, STATE_TOPIC, Installation
from tests.broker.contract.waiting import marked

Pairs = list[tuple[bytes, bytes | None]]


async def _restored(changelog: Changelog, partition: int = 0) -> Pairs:
    found: Pairs = []
    await changelog.restore(partition, lambda key, value: found.append((bytes(key), value and bytes(value))))
    return found


async def test_all_that_was_committed_is_restored(at: Installation) -> None:
    """Oldest first, tombstones too; of its own partition, by whoever has just become the writer."""
    state = at.name(STATE_TOPIC)
    assert await _restored(at.changelog) == []
    expected: Pairs = []
    for number in range(3):
        writer = await at.changelog.fence(0)
        pairs: Pairs = [(b"%d" % key, b"%d" % number if key else None) for key in range(10)]
        await writer.commit([Outgoing(state, 0, *pair) for pair in pairs], {})
        await writer.close()
        expected += pairs
        await (await at.changelog.fence(0)).close()
        assert await _restored(at.changelog) == expected
    assert await _restored(at.changelog, 1) == []


async def test_a_foreign_transaction_that_is_open(at: Installation) -> None:
    """A restore ends where it begins, instead of waiting for it; with its end all shows that lies behind it."""
    state = at.name(STATE_TOPIC)
    writer = await at.changelog.fence(0)
    await writer.commit([Outgoing(state, 0, b"a", b"before")], {})
    await marked(at, STATE_TOPIC)
    foreign = await at.begin(f"{state}-foreign", [Outgoing(state, 0, b"f", b"foreign")])
    await writer.commit([Outgoing(state, 0, b"a", b"behind")], {})
    assert await _restored(at.changelog) == [(b"a", b"before")]
    bounds = await at.bounds(STATE_TOPIC)
    assert bounds.stable == 2 < bounds.end
    await foreign.end(is_committed=True)
    await marked(at, STATE_TOPIC)
    assert await _restored(at.changelog) == [(b"a", b"before"), (b"f", b"foreign"), (b"a", b"behind")]
    await writer.close()


async def test_what_was_aborted_is_not_restored(at: Installation) -> None:
    """A partition may end with it."""
    state = at.name(STATE_TOPIC)
    foreign = await at.begin(f"{state}-foreign", [Outgoing(state, 0, b"f", b"%d" % n) for n in range(5)])
    await foreign.end(is_committed=False)
    await marked(at, STATE_TOPIC)
    assert await _restored(at.changelog) == []
    writer = await at.changelog.fence(0)
    await writer.commit([Outgoing(state, 0, b"a", b"1")], {})
    await writer.close()
    await marked(at, STATE_TOPIC)
    assert await _restored(at.changelog) == [(b"a", b"1")]


async def test_an_error_of_who_applies_passes_through(at: Installation) -> None:
    """State that can't be read must not be taken for read."""
    writer = await at.changelog.fence(0)
    await writer.commit([Outgoing(at.name(STATE_TOPIC), 0, b"a", b"1")], {})
    await writer.close()
    await marked(at, STATE_TOPIC)

    def apply(*_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await at.changelog.restore(0, apply)


async def test_retention_moves_the_beginning(at: Installation) -> None:
    """What is left begins at a later offset, which is kept."""
    await at.forwarder.forward([Outgoing(at.name(OUTPUT_TOPIC), 0, b"k", b"%d" % n) for n in range(10)])
    await at.delete_before(OUTPUT_TOPIC, 7)
    assert await at.bounds(OUTPUT_TOPIC) == (7, 10, 10)
    assert [(r.offset, r.value) for r in await at.read(OUTPUT_TOPIC)] == [(n, b"%d" % n) for n in range(7, 10)]
    await at.delete_before(OUTPUT_TOPIC, 10)
    assert await at.bounds(OUTPUT_TOPIC) == (10, 10, 10)
    assert not await at.read(OUTPUT_TOPIC)


async def test_compaction_leaves_the_newest_of_each_key(at: Installation) -> None:
    """What is restored adds up to the same, and offsets stay."""
    state = at.name(STATE_TOPIC)
    writer = await at.changelog.fence(0)
    for number in range(6):
        pairs: Pairs = [(b"%d" % key, b"%d" % number if key else None) for key in range(number, 6)]
        await writer.commit([Outgoing(state, 0, *pair) for pair in pairs], {})
    await writer.close()
    await marked(at, STATE_TOPIC)
    before = await at.bounds(STATE_TOPIC)
    offsets = {r.key: r.offset for r in await at.read(STATE_TOPIC)}
    await at.compact(STATE_TOPIC)
    left = [r for r in await at.read(STATE_TOPIC) if r.key != FILLER_KEY]
    assert {r.key: r.offset for r in left} == offsets
    assert (await at.bounds(STATE_TOPIC)).end >= before.end
    assert (
        dict(await _restored(at.changelog)).items()
        >= {b"0": None, **{b"%d" % n: b"%d" % n for n in range(1, 6)}}.items()
    )
