"""Heartbeats on their way to Kafka, without Kafka: one type and one set of bounds for both routes."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.schema import codec
from flatline.schema.heartbeat import PERIOD_S_MAX, Heartbeat
from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.ingest.heartbeats import Heartbeats
from flatline_connectors.sending import heartbeats
from flatline_connectors.sending.heartbeats import PreparedHeartbeat

NOW = datetime(2026, 6, 1, tzinfo=UTC)
NOW_MS = 1_780_272_000_000
HOUR_MS = 3_600_000
DAY_S = 86_400.0


def prepare(now_ms: int = NOW_MS, **fields: object) -> PreparedHeartbeat:
    """Prepare a heartbeat that `crawler` pushes."""
    value = json.dumps({"seen_until": "2026-06-01T00:00:00Z", **fields}).encode()
    return heartbeats.prepare(value, default_source="crawler", now_ms=now_ms, period_of=lambda _: DAY_S)


def test_what_is_left_out_is_filled_in() -> None:
    """The token's source, now, and the period as it was; null for the period is the end."""
    assert prepare().record == Heartbeat("crawler", NOW, NOW, period_s=DAY_S)
    assert prepare(source=None, sent_at=None).record == prepare().record
    assert prepare(source="other").key == b"other"
    assert prepare(period_s=None).record.period_s is None
    assert prepare(period_s=2).record.period_s == 2


@pytest.mark.parametrize(
    "fields",
    [
        {"period_s": 1e12},
        {"period_s": PERIOD_S_MAX * 1.01},
        {"period_s": 0},
        {"period_s": -1},
        {"period_s": 1e306},
        {"pages_seen": -1},
        {"pages_seen": 10**30},
        {"source": "two words"},
    ],
)
def test_both_doors_have_the_same_bounds(fields: dict[str, object]) -> None:
    """What no worker could read, the ingest does not take, nor can it be sent from code."""
    with pytest.raises(Rejected) as pushed:
        prepare(**fields)
    assert pushed.value.reason in {Reason.INVALID_VALUE, Reason.WRONG_TYPE}
    made = {"source": "crawler", **fields}
    with pytest.raises(Rejected):
        heartbeats.checked(Heartbeat(sent_at=NOW, seen_until=NOW, **made))  # type: ignore[arg-type]


@given(
    value=st.binary(max_size=40)
    | st.dictionaries(
        st.sampled_from(["source", "sent_at", "seen_until", "period_s", "pages_seen", "version", "é"]),
        st.none()
        | st.text(max_size=5)
        | st.integers()
        | st.floats()
        | st.datetimes(timezones=st.just(UTC)).map(lambda at: at.isoformat()),
    ).map(lambda fields: json.dumps(fields).encode())
)
def test_whatever_is_taken_can_be_read(value: bytes) -> None:
    """Any bytes are either rejected or make a heartbeat that a worker reads, none of whose times lies after now."""
    try:
        prepared = heartbeats.prepare(value, default_source="crawler", now_ms=NOW_MS, period_of=lambda _: DAY_S)
    except Rejected:
        return
    read = codec.heartbeats.decode(prepared.value)
    assert read == prepared.record
    assert read.seen_until <= read.sent_at <= NOW
    assert prepared.key == read.source.encode()


def test_a_heartbeat_from_the_future_was_sent_now() -> None:
    """And has seen nothing later."""
    ahead = (NOW + timedelta(days=9_999)).isoformat()
    record = prepare(sent_at=ahead, seen_until=ahead).record
    assert (record.sent_at, record.seen_until) == (NOW, NOW)


def known() -> Heartbeats:
    """Return what an ingest knows at its start."""
    return Heartbeats(default_period_s=DAY_S)


def receive(ingest: Heartbeats, prepared: PreparedHeartbeat, *, recorded_ms: int = NOW_MS) -> None:
    """Have an ingest hear a record of the topic."""
    ingest.receive(prepared.key, prepared.value, recorded_ms)


def test_a_declared_period_is_read_from_the_topic() -> None:
    """By an ingest that has just started, and by another one."""
    ingest = known()
    receive(ingest, prepare(period_s=7 * DAY_S))
    assert ingest.period_s("crawler") == ingest.declared_s("crawler") == 7 * DAY_S
    receive(ingest, prepare(now_ms=NOW_MS - HOUR_MS, period_s=60))
    assert ingest.period_s("crawler") == 7 * DAY_S, "what is older takes nothing back"
    receive(ingest, prepare(now_ms=NOW_MS + HOUR_MS, period_s=60), recorded_ms=NOW_MS + HOUR_MS)
    assert ingest.period_s("crawler") == 60


def test_links_are_a_sign_of_life_of_sources_that_declared_a_period() -> None:
    """Of another one nobody knows when to expect it again, least of all within the hour; nor of one that finished."""
    ingest = known()
    assert not ingest.is_due("crawler", now_ms=NOW_MS)
    receive(ingest, prepare(period_s=60))
    assert ingest.is_due("crawler", now_ms=NOW_MS)
    ingest.sent("crawler", now_ms=NOW_MS)
    assert not ingest.is_due("crawler", now_ms=NOW_MS + 9_999)
    assert ingest.is_due("crawler", now_ms=NOW_MS + 10_000)
    receive(ingest, prepare(now_ms=NOW_MS + 1, period_s=None), recorded_ms=NOW_MS + 1)
    assert not ingest.is_due("crawler", now_ms=NOW_MS + 20_000)
    assert ingest.period_s("crawler") == DAY_S


def test_a_tombstone_forgets_a_source() -> None:
    """It declared nothing any more."""
    ingest = known()
    receive(ingest, prepare(period_s=60))
    ingest.receive(b"crawler", None, NOW_MS)
    assert ingest.declared_s("crawler") is None


def test_a_clock_that_was_ahead_does_not_keep_a_period() -> None:
    """A record is no later than its record time, so the next one is heard."""
    ingest = known()
    ahead = Heartbeat("crawler", NOW + timedelta(days=9_999), NOW, period_s=60.0)
    ingest.receive(b"crawler", codec.heartbeats.encode(ahead), NOW_MS)
    receive(ingest, prepare(now_ms=NOW_MS + HOUR_MS, period_s=3600), recorded_ms=NOW_MS + HOUR_MS)
    assert ingest.period_s("crawler") == 3600
