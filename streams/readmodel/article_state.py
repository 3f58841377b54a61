"""What the workers keep of one article, read from its partition of the changelog."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from msgspec import DecodeError

from flatline.domain.state.addresses import shown
from flatline.domain.state.article import Article, check_format
from flatline.domain.state.moves import Moves
from flatline.domain.visibility.source_history import SourceHistory
from flatline.kafka.cluster import KafkaCluster
from flatline.readmodel.readable import readable
from flatline.readmodel.records import records
from flatline.schema.partitioning import partition_of
from flatline.schema.topics import Topics

log = logging.getLogger("flatline.readmodel")

_SEPARATOR: Final = b"\0"
_UNREADABLE: Final = (ValueError, DecodeError)  # a UnicodeDecodeError is a ValueError


class StoredArticle(NamedTuple):
    """An article, None where it is not known, and the histories of sources on its partition."""

    article: Article | None
    source_histories: Mapping[str, SourceHistory]


def stored_article(cluster: KafkaCluster, topics: Topics, key: bytes, moves: Moves) -> StoredArticle:
    """Read all that was committed of the article with this key, former addresses included.

    Raises KafkaError and UnknownFormatError; what can't be read is left out, as workers do. The keys of an address's
    records are its own, and its own with NUL and the low of a segment or the year of visits; those of sources are NUL
    and their name. It takes reading the partition, as the changelog has no index.
    """
    partition = partition_of(key, topics.changelog.partitions)
    changes = ((r.key, r.value) for r in records(cluster, topics.changelog, partition=partition) if r.key is not None)
    return state_of(key, changes, moves, topic=topics.changelog.name)


def state_of(key: bytes, changes: Iterable[tuple[bytes, bytes | None]], moves: Moves, *, topic: str) -> StoredArticle:
    """Return what the records of a partition of the changelog say. Raises UnknownFormatError.

    What can't be read is left out, as workers do, and said in the log.
    """
    parts: defaultdict[bytes, dict[bytes, bytes]] = defaultdict(dict)
    for written, value in changes:
        address, _, part = written.partition(_SEPARATOR)
        if written == _SEPARATOR or (address and moves.current(address) != key):  # the mark of a partition's beginning
            continue
        if value is None:
            parts[address].pop(part, None)
            continue
        try:
            check_format(value)
        except ValueError as error:
            log.warning("the record of %s under %r is skipped: %s", topic, written, error)
        else:
            parts[address][part] = value

    def article_of(address: bytes, first: bytes) -> Article:
        return Article.decode(address, first, {part: value for part, value in parts[address].items() if part})

    def history_of(source: bytes, value: bytes) -> tuple[str, SourceHistory]:
        return source.decode(), SourceHistory.decode(value[1:])

    firsts = {address: found[b""] for address, found in parts.items() if address and b"" in found}
    articles = readable(topic, firsts, article_of, errors=_UNREADABLE)
    source_histories = dict(readable(topic, parts.get(b"", {}), history_of, errors=_UNREADABLE))
    return StoredArticle(shown(key, articles) if articles else None, source_histories)
