"""A sorted map from 64-bit fingerprints to small registers, kept in segments of bounded size.

An article with 100,000 links must not rewrite them all with each new one: only the segments that changed are written
again, each under a key of its own, which is the lowest fingerprint it may hold. That key stays with it when it splits,
so a reader that finds the upper half of a split but the unsplit lower one still reads the right map.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

SEGMENT_ENTRIES_MAX: Final = 128
_FINGERPRINT_BYTES: Final = 8


class _Segment:
    """Fingerprints in order, and a register of ``register_bytes`` for each."""

    __slots__ = ("fingerprints", "registers")

    def __init__(self, fingerprints: array[int], registers: bytearray) -> None:
        self.fingerprints = fingerprints
        self.registers = registers


class Segments:
    """The map. ``register_bytes`` is the size of a register; 0 makes it a set."""

    __slots__ = ("_lows", "_segments", "changed", "register_bytes")

    def __init__(self, register_bytes: int, encoded: Mapping[int, bytes] | None = None) -> None:
        """Start empty, or from segments as `encode` gave them, by their lowest fingerprint."""
        self.register_bytes = register_bytes
        self.changed: set[int] = set()
        if not encoded:
            self._lows, self._segments = [0], [_Segment(array("Q"), bytearray())]
            return
        self._lows = sorted(encoded.keys() | {0})
        self._segments = [
            self._decode(encoded.get(low, b""), high)
            for low, high in zip(self._lows, [*self._lows[1:], 1 << 64], strict=True)
        ]

    def _decode(self, encoded: bytes, high: int) -> _Segment:
        entries = len(encoded) // (_FINGERPRINT_BYTES + self.register_bytes)
        fingerprints = array("Q")
        fingerprints.frombytes(encoded[: entries * _FINGERPRINT_BYTES])
        if sys.byteorder == "big":
            fingerprints.byteswap()
        # What lies at or beyond the next segment's low was moved there by a split whose lower half was never written.
        kept = bisect_left(fingerprints, high) if high < 1 << 64 else entries
        start = entries * _FINGERPRINT_BYTES
        return _Segment(fingerprints[:kept], bytearray(encoded[start : start + kept * self.register_bytes]))

    def __len__(self) -> int:
        return sum(len(segment.fingerprints) for segment in self._segments)

    def registers(self) -> Iterator[int]:
        """Yield every register, in order of fingerprint."""
        size = self.register_bytes
        for segment in self._segments:
            packed = segment.registers
            for start in range(0, len(packed), size):
                yield int.from_bytes(packed[start : start + size], "little")

    def get(self, fingerprint: int) -> int | None:
        """Return the register of a fingerprint, or None when it isn't known."""
        segment = self._segments[bisect_right(self._lows, fingerprint) - 1]
        at = bisect_left(segment.fingerprints, fingerprint)
        if at == len(segment.fingerprints) or segment.fingerprints[at] != fingerprint:
            return None
        size = self.register_bytes
        return int.from_bytes(segment.registers[at * size : (at + 1) * size], "little")

    def put(self, fingerprint: int, register: int = 0) -> bool:
        """Set the register of a fingerprint; return whether the fingerprint is new."""
        index = bisect_right(self._lows, fingerprint) - 1
        segment = self._segments[index]
        at = bisect_left(segment.fingerprints, fingerprint)
        is_new = at == len(segment.fingerprints) or segment.fingerprints[at] != fingerprint
        size = self.register_bytes
        if is_new:
            segment.fingerprints.insert(at, fingerprint)
            segment.registers[at * size : at * size] = register.to_bytes(size, "little")
        elif size:
            segment.registers[at * size : (at + 1) * size] = register.to_bytes(size, "little")
        if is_new or size:
            self.changed.add(self._lows[index])
        if len(segment.fingerprints) > SEGMENT_ENTRIES_MAX:
            self._split(index)
        return is_new

    def _split(self, index: int) -> None:
        lower = self._segments[index]
        middle = len(lower.fingerprints) // 2
        start = middle * self.register_bytes
        upper = _Segment(lower.fingerprints[middle:], lower.registers[start:])
        del lower.fingerprints[middle:], lower.registers[start:]
        self._segments.insert(index + 1, upper)
        self._lows.insert(index + 1, upper.fingerprints[0])
        self.changed.add(upper.fingerprints[0])

    def encode(self, lows: Iterable[int]) -> Iterator[tuple[int, bytes]]:
        """Yield (low, bytes) of the segments asked for, highest first: a split's upper half before its lower."""
        for low in sorted(lows, reverse=True):
            segment = self._segments[bisect_left(self._lows, low)]
            fingerprints = segment.fingerprints
            if sys.byteorder == "big":
                fingerprints = fingerprints[:]
                fingerprints.byteswap()
            yield low, fingerprints.tobytes() + bytes(segment.registers)
