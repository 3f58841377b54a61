"""What a commit writes: all of it or nothing, and to whom it shows."""

from collections.abc import Iterator

import pytest

from flatline.engine.log import Offset, Outgoing
from tests.broker.contract.installation import OTHER_TOPIC, OUTPUT_TOPIC, SOURCE_TOPIC, STATE_TOPIC, Installation
from tests.broker.contract.waiting import marked

EARLIER_MS = 1_700_000_000_000
TOO_LONG = b"x" * 1_100_000


async def test_a_commit_writes_records_and_offsets(at: Installation) -> None:
    """Keys, values, times and headers are untouched, in their order; offsets keep their words, by topic."""
    state, output, source, other = (at.name(topic) for topic in (STATE_TOPIC, OUTPUT_TOPIC, SOURCE_TOPIC, OTHER_TOPIC))
    writer = await at.changelog.fence(1)
    records = [
        Outgoing(output, 0, None, b"first", EARLIER_MS, [("reason", b"\xff"), ("reason", b"")]),
        Outgoing(state, 1, b"a", b"1"),
        Outgoing(output, 0, b"k", b"", EARLIER_MS - 1),
        Outgoing(state, 1, b"a", None),
        *(Outgoing(output, 0, b"n", b"%d" % number) for number in range(20)),
    ]
    await writer.commit(records, {source: Offset(7, "judged=3"), other: Offset(0)})
    await marked(at, OUTPUT_TOPIC)
    await marked(at, STATE_TOPIC, 1)
    written = await at.read(OUTPUT_TOPIC)
    assert [(r.key, r.value) for r in written[:2]] == [(None, b"first"), (b"k", b"")]
    assert [r.timestamp for r in written[:2]] == [EARLIER_MS, EARLIER_MS - 1]
    assert [(name, bytes(word)) for name, word in written[0].headers] == [("reason", b"\xff"), ("reason", b"")]
    assert [r.value for r in written[2:]] == [b"%d" % number for number in range(20)]
    assert [(r.key, r.value) for r in await at.read(STATE_TOPIC, 1)] == [(b"a", b"1"), (b"a", None)]
    assert await at.committed(SOURCE_TOPIC, 1) == Offset(7, "judged=3")
    assert await at.committed(OTHER_TOPIC, 1) == Offset(0)
    assert await at.committed(SOURCE_TOPIC, 0) is None

    await writer.commit([], {source: Offset(9)})
    await writer.commit([Outgoing(output, 1, b"k", b"v")], {})
    await marked(at, OUTPUT_TOPIC, 1)
    assert await at.committed(SOURCE_TOPIC, 1) == Offset(9)
    assert await at.committed(OTHER_TOPIC, 1) == Offset(0)
    await writer.close()


async def test_the_mark_of_a_transaction_takes_an_offset(at: Installation) -> None:
    """So a partition ends beyond the offset after its last record, and its records have gaps between them."""
    writer = await at.changelog.fence(0)
    for number in range(3):
        await writer.commit([Outgoing(at.name(OUTPUT_TOPIC), 0, b"k", b"%d" % number)], {})
        await marked(at, OUTPUT_TOPIC)
    await writer.close()
    assert [r.offset for r in await at.read(OUTPUT_TOPIC)] == [0, 2, 4]
    assert await at.bounds(OUTPUT_TOPIC) == (0, 6, 6)


async def test_nothing_is_written_by_a_commit_that_has_nothing_to_say(at: Installation) -> None:
    """No record, no offset, and no mark."""
    writer = await at.changelog.fence(0)
    await writer.commit([], {})
    await writer.close()
    assert await at.bounds(STATE_TOPIC) == (0, 0, 0)


async def test_records_that_can_not_be_made(at: Installation) -> None:
    """Then nothing of the commit shows: no record before it, and no offset."""

    def records() -> Iterator[Outgoing]:
        for _ in range(10):
            yield Outgoing(at.name(OUTPUT_TOPIC), 0, b"k", b"before")
        raise ZeroDivisionError

    writer = await at.changelog.fence(0)
    with pytest.raises(ZeroDivisionError):
        await writer.commit(records(), {at.name(SOURCE_TOPIC): Offset(5)})
    await writer.close()
    await _assert_nothing(at)


@pytest.mark.parametrize(
    ("topic", "key", "value", "timestamp_ms"),
    [
        (OUTPUT_TOPIC, b"k", TOO_LONG, None),
        (STATE_TOPIC, None, b"a compacted topic needs keys", None),
        (OUTPUT_TOPIC, b"k", b"of the year 2100", 4_102_444_800_000),
    ],
    ids=["too long", "without a key", "of the future"],
)
async def test_records_that_the_broker_refuses(
    at: Installation, topic: str, key: bytes | None, value: bytes, timestamp_ms: int | None
) -> None:
    """Then nothing of the commit shows. Of what is forwarded the refused ones are returned, and all others show."""
    refused = Outgoing(at.name(topic), 0, key, value, timestamp_ms)
    writer = await at.changelog.fence(0)
    with pytest.raises(Exception):  # noqa: B017, PT011 - each client has its own errors
        await writer.commit(
            [Outgoing(at.name(OUTPUT_TOPIC), 0, b"k", b"v"), refused], {at.name(SOURCE_TOPIC): Offset(5)}
        )
    await writer.close()
    await _assert_nothing(at)
    good = [Outgoing(at.name(OUTPUT_TOPIC), 0, b"k", b"%d" % n) for n in range(9)]
    for _ in range(2):
        found = await at.forwarder.forward([*good[:4], refused, *good[4:8], refused, good[8]])
        assert [each.record for each in found] == [refused, refused]
    written = [record.value for record in await at.read(OUTPUT_TOPIC)]
    assert set(written) == {record.value for record in good}  # some perhaps twice
    last = {value: at for at, value in enumerate(written)}
    assert sorted(last, key=lambda value: last[value]) == [record.value for record in good], "the newest in order"


async def test_forwarded_records_show_at_once(at: Installation) -> None:
    """In their order, with their times and headers, and without marks."""
    name = at.name(OUTPUT_TOPIC)
    records = [Outgoing(name, n % 2, b"%d" % n, b"v", EARLIER_MS + n, [("n", b"%d" % n)]) for n in range(20)]
    await at.forwarder.forward(records)
    for partition in (0, 1):
        written = await at.read(OUTPUT_TOPIC, partition)
        assert [r.key for r in written] == [b"%d" % n for n in range(partition, 20, 2)]
        assert [r.timestamp for r in written] == [EARLIER_MS + n for n in range(partition, 20, 2)]
        assert await at.bounds(OUTPUT_TOPIC, partition) == (0, 10, 10)
    await at.forwarder.forward([])


async def _assert_nothing(at: Installation) -> None:
    """Nothing of a commit shows, once whoever comes next has fenced it."""
    await (await at.changelog.fence(0)).close()
    for topic in (OUTPUT_TOPIC, STATE_TOPIC):
        await marked(at, topic)
        assert not await at.read(topic), topic
    assert await at.committed(SOURCE_TOPIC) is None
