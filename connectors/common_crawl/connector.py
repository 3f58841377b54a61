"""The connector: reads WAT and WARC files piece by piece, and goes on where the last piece that Kafka has ends."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from flatline.schema.limits import SourceName
from flatline.schema.rejection import Rejected
from flatline_connectors.common_crawl.captures import WantedLinks
from flatline_connectors.common_crawl.members import ReadPiece, read_piece
from flatline_connectors.fetching.outcomes import Action
from flatline_connectors.runtime.config import ConnectorOptions
from flatline_connectors.runtime.connector import (
    LETTER_BYTES,
    ConnectorKind,
    FoundRecord,
    PollFailed,
    PollResult,
    Resources,
    UnreadableRecord,
    found_link,
)
from flatline_connectors.runtime.own_sites import known_sites, own_hosts

PIECE_BYTES: Final = 4 << 20
_PIECE_BYTES_MAX: Final = 256 << 20


class CommonCrawlOptions(ConnectorOptions, frozen=True, kw_only=True, tag="common-crawl"):
    """The files."""

    files: Annotated[
        list[str],
        Meta(
            min_length=1, description="WAT and WARC files (.gz), relative to connectors.toml, in the order to read them"
        ),
    ]
    source: Annotated[SourceName | None, Meta(description="Source of its events")] = "common-crawl"


class CommonCrawlState(msgspec.Struct, frozen=True, kw_only=True):
    """Where the next record begins: in the file ``file``, as it is named, at ``offset`` bytes."""

    version: Literal[1] = 1
    file: str = ""
    offset: int = 0


class CommonCrawl:
    """One poll reads one piece of one file."""

    def __init__(self, options: CommonCrawlOptions, resources: Resources) -> None:
        self._options = options
        self._resources = resources

    async def poll(self, state: CommonCrawlState, now: datetime) -> PollResult[CommonCrawlState]:  # noqa: ARG002
        """Read the next piece. Raise `PollFailed` if the file can't be read."""
        files = self._options.files
        name = state.file if state.file in files else files[0]
        offset = state.offset if name == state.file else 0
        hosts = frozenset(host.encode() for host in own_hosts(self._options.sites, self._resources))
        wanted = WantedLinks(hosts, known_sites(self._resources))
        try:
            piece, read = await asyncio.to_thread(read_at, self._resources.folder / name, offset, wanted)
        except OSError as error:
            raise PollFailed(Action.WAIT, f"{name} can't be read: {error.strerror}") from None
        if piece:
            after = CommonCrawlState(file=name, offset=offset + read.size)
            return PollResult(_records(name, offset, piece, read), after, is_complete=False)
        following = files[files.index(name) + 1 :]
        if following:
            return PollResult([], CommonCrawlState(file=following[0]), is_complete=False)
        return PollResult([], CommonCrawlState(file=name, offset=offset), is_complete=True)


def read_at(path: Path, offset: int, wanted: WantedLinks) -> tuple[bytes, ReadPiece]:
    """Return a piece of a file, as large as its first record needs, with what is in it."""
    size = PIECE_BYTES
    with path.open("rb") as file:
        while True:
            file.seek(offset)
            piece = file.read(size)
            read = read_piece(piece, wanted, is_last=len(piece) < size or size >= _PIECE_BYTES_MAX)
            if read.size or not piece:
                return piece, read
            size *= 2


def _records(name: str, offset: int, piece: bytes, read: ReadPiece) -> list[FoundRecord | UnreadableRecord]:
    records: list[FoundRecord | UnreadableRecord] = []
    for at, found in read.records:
        if isinstance(found, Rejected):
            where: dict[str, str | int] = {"file": name, "offset": offset + at}
            records.append(UnreadableRecord(piece[at : at + LETTER_BYTES], found, where))
        else:
            records += [found_link(event, file=name, offset=offset + at) for event in found]
    return records


KIND: Final = ConnectorKind(
    options=CommonCrawlOptions,
    state=CommonCrawlState,
    open=CommonCrawl,
    about="Links on pages that Common Crawl captured, from its WAT and WARC files.",
    unseen="whether a link was new when its page was captured",
)
