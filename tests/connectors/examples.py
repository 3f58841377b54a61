"""The examples of the contract, as lines and as records; and the archives that lines come in."""

import gzip
from pathlib import Path

import msgspec
import zstandard

import flatline.schema
from flatline.domain.urls.canonical import canonicalize

FOLDER = Path(flatline.schema.__file__).parent / "examples" / "link_event"
ACCEPTED = {
    path.stem: msgspec.json.format(path.read_bytes(), indent=-1) for path in sorted((FOLDER / "accepted").iterdir())
}
# The sources that the accepted examples name.
SOURCES = sorted({source for event in ACCEPTED.values() if (source := msgspec.json.decode(event).get("source"))})
REJECTED = {path.stem: path.read_bytes().rstrip(b"\n") for path in sorted((FOLDER / "rejected").iterdir())}


def link(url_from: str, url_to: str, **fields: object) -> bytes:
    """Return a link event."""
    return msgspec.json.encode({"url_from": url_from, "url_to": url_to, **fields})


def key_of(value: bytes) -> bytes:
    """Return the key that belongs to an event, found without the connectors' own code."""
    url_to: str = msgspec.json.decode(value)["url_to"]
    return canonicalize(url_to).encode()


def zstd(content: bytes) -> bytes:
    """Return a zstd file of two frames."""
    middle = len(content) // 2
    return b"".join(zstandard.ZstdCompressor().compress(part) for part in (content[:middle], content[middle:]))


def gzipped(content: bytes) -> bytes:
    """Return a gzip file of two members."""
    middle = len(content) // 2
    return gzip.compress(content[:middle]) + gzip.compress(content[middle:])
