"""A fuzzer of the native core: `python -m tests.agents.native_fuzzer`, or `make fuzz`.

It changes bytes of records at random, and compares what is written with the core and without it. What the core declines
is read by Python either way. So it goes on from those changed records that the core reads: their children are the odd
ones that it might read in another way.
"""

import logging
import os
import random
import re
import sys
import time
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Final, NamedTuple

import flatline.schema
from flatline.core import Core, native_core, why_not_native
from tests.agents.both_cores import NOW_MS, left_to_python, numbered, written
from tests.bench.report import say
from tests.bench.workload import Workload, values

RECORDS_A_ROUND: Final = 200
POOL_MAX: Final = 5_000
RECORD_BYTES_MAX: Final = 2_000
EXAMPLES: Final = Path(flatline.schema.__file__).parent / "examples" / "link_event" / "accepted"

_PIECES: Final = (
    *b'"\\{}[],:0-e.+ \n\t\0/?#@%'.decode(),
    *(r"\"", r"\\", r"\/", r"\n", r"\u0000", r"\u00e9", r"\ud83d", r"\ud83d\ude00"),
    *("null", "true", "false", "0", "-0", "1e400", "0.5", "18446744073709551616", "[]", "{}", '""'),
    *('"url_from":', '"url_to":', '"context":', '"page":{"title":', '"rel":["nofollow"],', '"version":1,'),
    *("2024-02-29T00:00:00Z", "T24:00:00", ".9999999999", "+05:30", "-00:00", "23:59:60"),
    *("é", "\N{GRINNING FACE}", "\u2028", "\ufeff", "\x7f", "\N{KELVIN SIGN}"),
)
PIECES: Final = (*(each.encode() for each in _PIECES), b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf0\x9f\x98")
MARKS: Final = tuple(bytes([each]) for each in b'"{}[],:\\ ')
_MARK: Final = re.compile(rb'["{}\[\],:\\]')


class Fuzzed(NamedTuple):
    """How many records were compared, how many of them the core read, and those that it read in another way."""

    records: int
    natively: int
    different: list[bytes]


def fuzz(core: ModuleType, rounds: Iterable[object], *, seed: int) -> Fuzzed:
    """Compare changed records, until the first difference or the end of the rounds."""
    chance = random.Random(seed)
    pool, records, natively = list(seeds()), 0, 0
    for _ in rounds:
        changed = [change(chance.choice(pool), chance.choice(pool), chance) for _ in range(RECORDS_A_ROUND)]
        if different := differing(core, changed):
            return Fuzzed(records, natively, different)
        left = set(left_to_python(core, changed, partitions=1))
        read = [each for each in changed if each not in left]
        records, natively = records + len(changed), natively + len(read)
        pool += [each for each in read if len(each) <= RECORD_BYTES_MAX]
        if len(pool) > POOL_MAX:
            pool = [*seeds(), *chance.sample(pool, POOL_MAX // 2)]
    return Fuzzed(records, natively, [])


@cache
def seeds() -> tuple[bytes, ...]:
    """Return the records that all others come from: the contract's examples, and some of the benchmark's."""
    return (*(file.read_bytes() for file in sorted(EXAMPLES.iterdir())), *values(Workload(events=20, partitions=1)))


def change(record: bytes, other: bytes, chance: random.Random) -> bytes:
    """Return a record with one to four changes: something put beside what gives JSON its structure, or anywhere."""
    value = bytearray(record)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        marks = [found.start() for found in _MARK.finditer(value)]
        if marks and chance.randrange(4) == 0:
            at = chance.choice(marks) + chance.randrange(2)
            value[at:at] = chance.choice(MARKS)
            continue
        at = chance.randrange(len(value) + 1)
        end = at + chance.choice((0, 0, 1, 1, 2, 8, 40))
        begin = chance.randrange(len(other) + 1)
        value[at:end] = chance.choice(
            (
                b"",
                chance.choice(PIECES),
                chance.choice(PIECES),
                other[begin : begin + chance.randrange(1, 40)],
                value[at:end] * 2,
                chance.randbytes(1),
            )
        )
    return bytes(value)


def differing(core: ModuleType, records: list[bytes]) -> list[bytes]:
    """Return the records of which another thing is written with the core: one, if one alone shows it."""

    def is_different(some: list[bytes]) -> bool:
        read = numbered([(value, NOW_MS) for value in some])
        return written(core, [read], None) != written(None, [read], None)

    # The first record of a day is always read by Python.
    first = seeds()[-1]
    if not is_different([first, *records]):
        return []
    return next(([each] for each in records if is_different([first, each])), records)


def until(end_s: float) -> Iterator[int]:
    """Yield numbers until an instant of the monotonic clock."""
    number = 0
    while time.monotonic() < end_s:
        yield number
        number += 1


def main() -> int:
    """Fuzz for FUZZ_SECONDS (60), from FUZZ_SEED where it is given."""
    core = native_core(Core.AUTO)
    if core is None:
        say(f"The native core is not fuzzed: {why_not_native()}")
        return 0
    logging.disable(logging.WARNING)  # of dead letters
    seed = int(os.environ.get("FUZZ_SEED") or random.SystemRandom().randrange(1 << 32))
    found = fuzz(core, until(time.monotonic() + float(os.environ.get("FUZZ_SECONDS") or 60)), seed=seed)
    say(f"{found.records:,} changed records, {found.natively:,} of them read by the native core (FUZZ_SEED={seed})")
    for record in found.different:
        say(f"The core and Python read this in different ways: {record!r}")
    return 1 if found.different else 0


if __name__ == "__main__":
    sys.exit(main())
