"""Segments against a plain dict."""

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.domain.segments import SEGMENT_ENTRIES_MAX, Segments

WIDTH = 3
fingerprints = st.integers(0, (1 << 64) - 1)
# Few distinct ones too, so that entries are overwritten.
puts = st.lists(st.tuples(fingerprints | st.integers(0, 40), st.integers(0, (1 << 8 * WIDTH) - 1)), max_size=700)


def _filled(entries: list[tuple[int, int]]) -> Segments:
    segments = Segments(WIDTH)
    for fingerprint, register in entries:
        segments.put(fingerprint, register)
    return segments


@settings(max_examples=60)
@given(puts, st.lists(fingerprints))
def test_behaves_like_a_dict(entries: list[tuple[int, int]], others: list[int]) -> None:
    """What was put is got, what was not isn't, and `put` says what was new."""
    segments, expected = Segments(WIDTH), dict[int, int]()
    for fingerprint, register in entries:
        assert segments.put(fingerprint, register) == (fingerprint not in expected)
        expected[fingerprint] = register
    assert all(segments.get(fingerprint) == register for fingerprint, register in expected.items())
    assert all(segments.get(fingerprint) == expected.get(fingerprint) for fingerprint in others)
    assert list(segments.registers()) == [expected[fingerprint] for fingerprint in sorted(expected)]
    assert len(segments) == len(expected)


@settings(max_examples=60)
@given(puts, puts)
def test_changed_segments_are_enough(before: list[tuple[int, int]], after: list[tuple[int, int]]) -> None:
    """Segments written once in full, then only where they changed, read back whole; none is over its bound."""
    segments = _filled(before)
    written = dict(segments.encode(segments.changed | {0}))
    segments.changed.clear()
    for fingerprint, register in after:
        segments.put(fingerprint, register)
    written.update(segments.encode(segments.changed))
    assert list(Segments(WIDTH, written).registers()) == list(segments.registers())
    assert all(len(encoded) <= SEGMENT_ENTRIES_MAX * (8 + WIDTH) for encoded in written.values())


@settings(max_examples=60)
@given(puts, puts, st.data())
def test_a_write_that_stops_half_way_loses_nothing_older(
    before: list[tuple[int, int]], after: list[tuple[int, int]], data: st.DataObject
) -> None:
    """If only a beginning of the writes arrives, all that was written before is still known."""
    segments = _filled(before)
    written = dict(segments.encode(segments.changed | {0}))
    segments.changed.clear()
    for fingerprint, register in after:
        segments.put(fingerprint, register)
    writes = list(segments.encode(segments.changed))
    written.update(writes[: data.draw(st.integers(0, len(writes)))])
    read = Segments(WIDTH, written)
    newest = {**dict(before), **dict(after)}
    for fingerprint, register in dict(before).items():
        assert read.get(fingerprint) in {register, newest[fingerprint]}
