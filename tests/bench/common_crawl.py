"""How much CPU time the connector takes to read a WAT file, beside what its library takes to merely read the same file.

Run it with `python -m tests.bench.common_crawl`, which makes a file, or with a file from Common Crawl as its argument.
"""

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from fastwarc.warc import ArchiveIterator

from flatline_connectors.common_crawl import connector
from flatline_connectors.common_crawl.captures import WantedLinks
from flatline_connectors.sites import on_sites
from tests.connectors.common_crawl.made import captured, to

PAGES = 4_000
LINKS = 60
OURS_EVERY = 1_000
ROUNDS = 3


def write(path: Path) -> None:
    """Write a file of which one page in a thousand links to us."""
    chance = random.Random(1)
    with path.open("wb") as file:
        for number in range(PAGES):
            links = [
                to(f"https://s{chance.randrange(10**6)}.example/{chance.random()}", text="t") for _ in range(LINKS)
            ]
            if number % OURS_EVERY == 0:
                links.append(to("https://yours.example/a"))
            file.write(captured(f"https://p{number}.example/", links))


def read_by_library(path: Path) -> int:
    """Return how many bytes the records of a file have."""
    return sum(len(record.reader.read()) for record in ArchiveIterator(str(path), parse_http=False))


def read_by_connector(path: Path) -> int:
    """Return how many links are found."""
    wanted = WantedLinks(frozenset({b"yours.example"}), on_sites(["yours.example"]))
    offset = found = 0
    while True:
        piece, read = connector.read_at(path, offset, wanted)
        if not piece:
            return found
        found += sum(len(record.found) for record in read.records if isinstance(record.found, list))
        offset += read.size


def _shortest_s(read: Callable[[Path], int], path: Path) -> tuple[float, int]:
    runs = []
    for _ in range(ROUNDS):
        started_s = time.process_time()
        result = read(path)
        runs.append((time.process_time() - started_s, result))
    return min(runs)


def main() -> None:
    """Measure, and print."""
    with TemporaryDirectory() as folder:
        if len(sys.argv) > 1:
            path = Path(sys.argv[1])
        else:
            write(path := Path(folder, "made.wat.gz"))
        library_s, bytes_read = _shortest_s(read_by_library, path)
        connector_s, links = _shortest_s(read_by_connector, path)
    sys.stdout.write(
        f"{bytes_read / 1e6:,.0f} MB read; library {library_s:.3f} s; connector {connector_s:.3f} s, {links} links\n"
        f"ratio {library_s / connector_s:.2f}\n"
    )


if __name__ == "__main__":
    main()
