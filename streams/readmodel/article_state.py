"""What the workers keep of one article, read from its partition of the changelog."""

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from flatline.domain.state.addresses import shown
from flatline.domain.state.article import Article, check_format
from flatline.domain.state.moves import Moves
from flatline.domain.visibility.source_history import SourceHistory
from flatline.kafka.cluster import KafkaCluster
from flatline.readmodel.records import records
from flatline.schema.partitioning import partition_of
from flatline.schema.topics import Topics

_SEPARATOR = b"\0"


class StoredArticle(NamedTuple):
    """An article, None where it is not known, and the histories of sources on its partition."""

    article: Article | None
    source_histories: Mapping[str, SourceHistory]


def stored_article(cluster: KafkaCluster, topics: Topics, key: bytes, moves: Moves) -> StoredArticle:
    """Read all that was committed of the article with this key, former addresses included.

    Raises KafkaError and UnknownFormatError. The keys of an address's records are its own, and its own with NUL and the
    low of a segment or the year of visits; those of sources are NUL and their name. It takes reading the partition, as
    the changelog has no index.
    """
    parts: defaultdict[bytes, dict[bytes, bytes]] = defaultdict(dict)
    source_histories: dict[str, SourceHistory] = {}
    for record in records(cluster, topics.changelog, partition=partition_of(key, topics.changelog.partitions)):
        if record.key is None or record.key == _SEPARATOR:  # the mark of a partition that was begun
            continue
        address, _, part = record.key.partition(_SEPARATOR)
        if address and moves.current(address) != key:
            continue
        if record.value is None:
            parts[address].pop(part, None)
            continue
        check_format(record.value)
        if address:
            parts[address][part] = record.value
        else:
            source_histories[part.decode()] = SourceHistory.decode(record.value[1:])
    articles = [
        Article.decode(address, first, further)
        for address, further in parts.items()
        if (first := further.pop(b"", None)) is not None
    ]
    return StoredArticle(shown(key, articles) if articles else None, source_histories)
