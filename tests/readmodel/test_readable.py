"""Commands read topics into which anybody may have written anything."""

import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flatline.domain.groups.totals import GroupTotals
from flatline.domain.state.moves import Moves
from flatline.readmodel.readable import readable
from flatline.schema import codec

GOOD = b'{"old": "https://old.example/*", "new": "https://new.example/*", "decided_at": "2026-01-01T00:00:00Z"}'
READERS = [
    lambda _, value: codec.verdicts.decode(value),
    lambda _, value: codec.groups.decode(value),
    lambda key, value: GroupTotals(2).receive_record(key, value),
    lambda key, value: Moves().receive_record(key, value),
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.binary(max_size=20), st.binary(max_size=60), min_size=1), st.sampled_from(READERS))
def test_any_bytes_are_skipped_and_said_once(
    caplog: pytest.LogCaptureFixture, values: dict[bytes, bytes], read: object
) -> None:
    """Whatever the keys and values: nothing is raised, and one line says how many were skipped."""
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        assert readable("topic", values, read) == []  # type: ignore[arg-type]
    [line] = caplog.messages
    assert f"skipped: {len(values)};" in line


def test_what_is_good_beside_it_is_read() -> None:
    """Before and after what can't be read."""
    moves = Moves()
    values = {b"1": b"\xff", b"2": GOOD, b"3": b"{}"}
    assert readable("topic", values, moves.receive_record) == [None]
    assert [str(rule.new) for rule in moves] == ["https://new.example/*"]
