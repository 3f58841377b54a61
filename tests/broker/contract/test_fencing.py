"""Who may write a partition, and what becomes of what others left."""

import asyncio

import pytest

from flatline.engine.log import FencedError, Offset, Outgoing
from tests.broker.contract.installation import OUTPUT_TOPIC, SOURCE_TOPIC, STATE_TOPIC, Installation
from tests.broker.contract.waiting import marked


async def test_a_former_writer_commits_nothing(at: Installation) -> None:
    """Neither records nor offsets, whether or not it ever committed; the newest one commits."""
    output, source = at.name(OUTPUT_TOPIC), at.name(SOURCE_TOPIC)
    idle, active = await at.changelog.fence(0), await at.changelog.fence(0)
    await active.commit([Outgoing(output, 0, b"k", b"active")], {source: Offset(1)})
    newest, elsewhere = await at.changelog.fence(0), await at.changelog.fence(1)
    for former, records in ((idle, [Outgoing(output, 0, b"k", b"former")]), (active, [])):
        with pytest.raises(FencedError):
            await former.commit(records, {source: Offset(9)})
        with pytest.raises(Exception):  # noqa: B017, PT011 - it is of no more use
            await former.commit(records, {source: Offset(9)})
        await former.close()
        assert await at.committed(SOURCE_TOPIC) == Offset(1)
    await newest.commit([Outgoing(output, 0, b"k", b"newest")], {source: Offset(2)})
    await elsewhere.commit([Outgoing(output, 0, b"k", b"elsewhere")], {source: Offset(3)})
    await marked(at, OUTPUT_TOPIC)
    assert [r.value for r in await at.read(OUTPUT_TOPIC)] == [b"active", b"newest", b"elsewhere"]
    assert [await at.committed(SOURCE_TOPIC, number) for number in (0, 1)] == [Offset(2), Offset(3)]
    await newest.close()
    await elsewhere.close()


async def test_what_a_former_writer_left_open_is_aborted(at: Installation) -> None:
    """It never shows, and readers of committed records pass it; its owner can't end it any more."""
    state, output = at.name(STATE_TOPIC), at.name(OUTPUT_TOPIC)
    writer = await at.changelog.fence(0)
    await writer.commit([Outgoing(state, 0, b"a", b"committed")], {})
    await writer.close()
    # As a process that died half-way: its transactional id is that of the partition.
    left = [Outgoing(state, 0, b"a", b"left"), Outgoing(output, 0, b"a", b"left")]
    open_transaction = await at.begin(f"{state}-0-other", left)
    assert not await at.read(OUTPUT_TOPIC)
    assert len(await at.read(OUTPUT_TOPIC, is_committed=False)) == 1
    await open_transaction.end(is_committed=False)
    same_id = await at.begin(f"{state}-1", [Outgoing(output, 1, b"b", b"left")])
    newest = await at.changelog.fence(1)
    with pytest.raises(FencedError):
        await same_id.end(is_committed=True)
    await newest.commit([Outgoing(output, 1, b"b", b"newest")], {})
    await marked(at, OUTPUT_TOPIC, 1)
    assert [r.value for r in await at.read(OUTPUT_TOPIC, 1)] == [b"newest"]
    assert [r.value for r in await at.read(OUTPUT_TOPIC, 1, is_committed=False)] == [b"left", b"newest"]
    await newest.close()


async def test_a_writer_that_is_closed(at: Installation) -> None:
    """Nothing that it committed is lost, and the next one goes on."""
    for number in range(2):
        writer = await at.changelog.fence(0)
        await writer.commit([Outgoing(at.name(OUTPUT_TOPIC), 0, b"k", b"%d" % number)], {})
        await writer.close()
    await marked(at, OUTPUT_TOPIC)
    assert [r.value for r in await at.read(OUTPUT_TOPIC)] == [b"0", b"1"]


@pytest.mark.parametrize("turns", range(4))
async def test_becoming_the_writer_can_be_cancelled(at: Installation, turns: int) -> None:
    """Whoever becomes the writer after that is fenced by nothing that is left of it."""
    cancelled = asyncio.ensure_future(at.changelog.fence(0))
    for _ in range(turns):
        await asyncio.sleep(0)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    writer = await at.changelog.fence(0)
    for number in range(3):
        await writer.commit([Outgoing(at.name(OUTPUT_TOPIC), 0, b"k", b"%d" % number)], {})
    await marked(at, OUTPUT_TOPIC)
    assert len(await at.read(OUTPUT_TOPIC)) == 3
    await writer.close()
