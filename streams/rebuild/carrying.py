"""What a rebuilt article takes over from the state that serves: what does not follow from the log."""

from collections.abc import Iterator
from typing import NamedTuple

from msgspec import structs

from flatline.domain.state.article import Article
from flatline.domain.state.previous_verdict import PreviousVerdict
from flatline.domain.time import to_ms
from flatline.engine.kafka_log import KafkaChangelog
from flatline.engine.partition import Partition
from flatline.kafka.cluster import KafkaCluster
from flatline.readmodel.latest_verdicts import latest_values
from flatline.schema import codec
from flatline.schema.topics import Topics

_SEPARATOR = b"\0"


class Carried(NamedTuple):
    """Since when an article is watched, where that is known, and how it stood when it was last judged."""

    watched_since_ms: int | None
    previous_verdict: PreviousVerdict | None


async def carry_over(articles: Partition, numbers: range, *, former: Topics, cluster: KafkaCluster) -> frozenset[bytes]:
    """Carry over the start of the watch and the previous verdict of articles from the state that serves.

    Where that state was lost, the verdicts that were said have them. Return the keys of those articles that only the
    former state knows, of all these partitions. Raises KafkaError and UnknownFormatError.
    """
    gone: set[bytes] = set()
    changelog = KafkaChangelog(former.changelog.name, group=former.group, cluster=cluster)
    has_state = False

    def carry(key: bytes, value: bytes | None) -> None:
        nonlocal has_state
        has_state = True
        if value is None or _SEPARATOR in key:
            return
        if key in articles:
            header = Article.decode(key, value, {}).header
            _give(articles, key, Carried(header.watched_since_ms, header.previous_verdict))
        else:
            gone.add(key)

    for number in numbers:
        await changelog.restore(number, carry)
    if not has_state:
        for key, carried in _published(cluster, former, numbers):
            if key in articles:
                _give(articles, key, carried)
            else:
                gone.add(key)
    return frozenset(gone)


def _published(cluster: KafkaCluster, former: Topics, numbers: range) -> Iterator[tuple[bytes, Carried]]:
    for number in numbers:
        for key, value in latest_values(cluster, former.verdicts, partition=number).items():
            verdict = codec.verdicts.decode(value)
            found = {finding.kind: to_ms(finding.since) for finding in verdict.findings}
            yield (
                key,
                Carried(
                    None if verdict.watched_since is None else to_ms(verdict.watched_since),
                    PreviousVerdict(verdict.state, to_ms(verdict.since), 0, found),
                ),
            )


def _give(articles: Partition, key: bytes, carried: Carried) -> None:
    article = articles.peek(key)
    assert article is not None, "it is among them"
    header, previous = article.header, carried.previous_verdict
    if previous is not None and not previous.link_days and article.rhythm:
        previous = structs.replace(previous, link_days=article.rhythm.link_days)
    watched_since_ms = carried.watched_since_ms or header.watched_since_ms
    if (header.watched_since_ms, header.previous_verdict) != (watched_since_ms, previous):
        header.watched_since_ms, header.previous_verdict = watched_since_ms, previous
        articles.put(article)
