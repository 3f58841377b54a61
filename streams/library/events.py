"""Link events of files and bytes."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from flatline.domain.urls.canonical import article_key
from flatline.schema import codec
from flatline.schema.link_event import LinkEvent
from flatline.schema.rejection import Rejected
from flatline_connectors.files.lines import LineFile


def decode_event(value: bytes) -> LinkEvent:
    """Return the link event that some JSON is. Raises `Rejected`."""
    return codec.links.decode(value)


def encode_event(event: LinkEvent) -> bytes:
    """Return the JSON of a link event, without a line end."""
    return codec.links.encode(event)


def read_events(path: Path | str) -> Iterator[LinkEvent]:
    """Yield the link events of an NDJSON file; plain, gzip or zstd.

    Raises `Rejected`, whose detail names the line, and `flatline_connectors.files.lines.UnreadableFile`.
    """
    file = LineFile(Path(path))
    for line in file:
        try:
            yield decode_event(line.value)
        except Rejected as rejected:
            raise Rejected(rejected.reason, f"{file.name}:{line.number}: {rejected.detail}") from None


def write_events(path: Path | str, events: Iterable[LinkEvent]) -> int:
    """Write link events as plain NDJSON, and return how many. Raises OSError."""
    count = 0
    with Path(path).open("wb") as file:
        for event in events:
            file.write(encode_event(event) + b"\n")
            count += 1
    return count


def canonical_url(url: str) -> str:
    """Return the one spelling by which an article is known: `Article.key`, and the ``article`` of a verdict.

    Raises `Rejected`.

    >>> canonical_url("HTTP://www.Yours.example/article/?utm_source=mail#top")
    'https://yours.example/article'
    """
    return article_key(url, field="url").decode()
