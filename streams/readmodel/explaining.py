"""An explanation of one article by what the topics say."""

from collections.abc import Iterator
from contextlib import suppress

from flatline.domain.alerts import Retirements
from flatline.domain.explanation.explained import Explanation
from flatline.domain.explanation.explanation import ExplanationContext, explain
from flatline.domain.groups.survey import Group, membership_of
from flatline.domain.policy.policy import Policy
from flatline.domain.quality.per_link import newest
from flatline.domain.state.addresses import is_there
from flatline.domain.state.moves import Moves
from flatline.domain.time import DAY_MS
from flatline.domain.visibility.sources import Sources
from flatline.kafka.cluster import KafkaCluster
from flatline.readmodel.article_state import stored_article
from flatline.readmodel.latest_groups import latest_group_totals, latest_groups
from flatline.readmodel.latest_imports import latest_imports
from flatline.readmodel.latest_moves import latest_moves
from flatline.readmodel.latest_verdicts import latest_values
from flatline.readmodel.readable import readable
from flatline.readmodel.records import records
from flatline.schema import codec
from flatline.schema.link_event import LinkEvent
from flatline.schema.partitioning import partition_of
from flatline.schema.rejection import Rejected
from flatline.schema.topics import Topics


def explain_live(
    cluster: KafkaCluster, topics: Topics, key: bytes, policy: Policy, *, now_ms: int, links: int
) -> Explanation | None:
    """Explain an article as the workers know it; None where they don't. Raises KafkaError and UnknownFormatError."""
    moves = latest_moves(cluster, topics)
    key = moves.current(key)
    article, source_histories = stored_article(cluster, topics, key, moves)
    if article is None or not is_there(article, links_bring_back=policy.links_bring_back):
        return None
    imports, sources = latest_imports(cluster, topics), Sources()
    for record in records(cluster, topics.heartbeats):
        try:
            if record.value is None:
                sources.forget((record.key or b"").decode(errors="replace"))
            else:
                sources.receive(codec.heartbeats.decode(record.value), recorded_ms=record.timestamp)
        except Rejected:
            continue
    sources.learn_habits([source_histories])
    values = latest_values(cluster, topics.verdicts, partition=partition_of(key, topics.verdicts.partitions))
    own = {key: values[key]} if key in values else {}
    published = readable(topics.verdicts.name, own, lambda _, value: codec.verdicts.decode(value))
    retirements = Retirements()
    for record in records(cluster, topics.alert_marks):
        with suppress(Rejected):
            retirements.receive_record(record.key or b"", record.value, record.timestamp)
    listed = newest(article.segments, links, quality_min=0.0)
    since_ms = min((each.gained_ms for each in listed), default=now_ms)
    context = ExplanationContext(
        policy,
        visibility=sources.visibility(now_ms),
        baseline=latest_group_totals(cluster, topics).baseline_of(membership_of(article)),
        imports=imports,
        events=_events(cluster, topics, key, moves, since_ms=since_ms),
        freshness=sources.freshness(now_ms),
        groups={Group(each.kind, each.name): each for each in latest_groups(cluster, topics)},
        published=published[0] if published else None,
        retired_ms=retirements.retired_ms(key),
    )
    return explain(article, context, previous=article.header.previous_verdict, now_ms=now_ms, links=links)


def known_keys(cluster: KafkaCluster, topics: Topics) -> list[str]:
    """Return the keys of all articles that a verdict was published on. Raises KafkaError."""
    return [key.decode(errors="replace") for key in latest_values(cluster, topics.verdicts)]


def _events(cluster: KafkaCluster, topics: Topics, key: bytes, moves: Moves, *, since_ms: int) -> Iterator[LinkEvent]:
    """Yield the events of an article that are kept. No record is older than what it tells of."""
    # Those for former addresses lie on any partition.
    number = partition_of(key, topics.links.partitions) if moves.is_empty else None
    # A day earlier: clocks of producers and brokers differ.
    for record in records(cluster, topics.links, partition=number, since_ms=max(1, since_ms - DAY_MS)):
        if record.key is not None and record.value is not None and moves.current(record.key) == key:
            try:
                yield codec.links.decode(record.value)
            except Rejected:
                continue
