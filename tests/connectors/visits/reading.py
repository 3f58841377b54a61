"""Reads files of visits for tests, as short rows that can be compared."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from flatline.schema import codec
from flatline_connectors.files.lines import LineFile, UnusableLine
from flatline_connectors.files.visits.reading import Options, Recognised, VisitFiles
from flatline_connectors.files.visits.totals import Sites

TODAY = date(2026, 11, 28)
SITES = ("pub.example", "old-pub.example")


class Read(NamedTuple):
    """What was read: (path, domain, day, visits) of each record, the bad rows, and what was recognised."""

    records: list[tuple[str, str, str, int]]
    rejected: list[UnusableLine]
    recognised: list[Recognised]

    @property
    def skipped(self) -> dict[str, int]:
        """Why rows of the first file were skipped, and how many."""
        return dict(self.recognised[0].skipped)


def read(*paths: Path, sites: Sequence[str] = SITES, parameters: Sequence[str] = (), **options: Any) -> Read:
    """Read files as one command does."""
    reading = VisitFiles(Options(TODAY, sites=Sites(tuple(sites), frozenset(parameters)), **options))
    rejected = []
    for path in paths:
        for line in reading.read(LineFile(path)):
            assert isinstance(line, UnusableLine)
            rejected.append(line)
    records = [codec.visits.decode(record) for record in reading.records()]
    rows = [
        (record.url.removeprefix("https://"), record.domain or "", str(record.day), record.visits) for record in records
    ]
    return Read(rows, rejected, reading.recognised)


def read_text(folder: Path, content: str | bytes, **options: Any) -> Read:
    """Read one file with this content."""
    path = folder / "file"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read(path, **options)
