"""What `flatline state` and `flatline topics repartition` do: build a new state, switch to it, and switch back."""

import asyncio
from collections.abc import Callable
from time import monotonic, sleep
from typing import Final, NamedTuple

from flatline.admin.topics import ensure_topics
from flatline.clock import clock_from
from flatline.core import native_core
from flatline.engine.kafka_log import KafkaChangelog
from flatline.engine.log import FencedError
from flatline.errors import FlatlineError
from flatline.generations import (
    publish_building,
    publish_erasing,
    publish_serving,
    serving_generation,
    topics_being_built,
    topics_of,
)
from flatline.kafka.cluster import KafkaCluster
from flatline.kafka.permissions import Role
from flatline.policy_file import load_policy
from flatline.rebuild.beginning import begin
from flatline.rebuild.building import Builder
from flatline.rebuild.building_log import KafkaBuildingLog
from flatline.rebuild.copying import Copier, Rewriting
from flatline.rebuild.extent import committed_by, ends_of, log_of, refuse_incomplete
from flatline.rebuild.progress import Progress
from flatline.schema.generation import Generation
from flatline.schema.topics import Topics
from flatline.settings import Settings

ROUNDS_MAX: Final = 5
LEFT_WITHIN_S: Final = 30.0
_LOOK_EVERY_S: Final = 0.2
ENOUGH_OFFSETS: Final = 20_000
"""A round that brought no more than this was so short that the workers do the rest within seconds."""


class RebuildError(FlatlineError):
    """A state can't be built, or can't be used again. The message says why."""

    remedy = "`flatline state show` shows the state in use and the one that is being built."


class Rebuilt(NamedTuple):
    """The generation in use after a rebuild, and the number of records that were read for it."""

    generation: Generation
    offsets: int


def rebuild(
    settings: Settings,
    progress: Progress,
    *,
    partitions: int | None = None,
    may_be_incomplete: bool = False,
    rewriting_of: Callable[[Topics], Rewriting] | None = None,
) -> Rebuilt:
    """Rebuild the state from the log by the current rules, then put it into use.

    With another number of ``partitions`` the log is first copied into topics with that number, and the state is built
    from these. The state in use stays in use until then. An interrupted rebuild continues when it is run again. Raises
    IncompleteLogError, RebuildError, TopicsError, PolicyError and KafkaError.

    ``rewriting_of``  what rewrites the records for new topics, for an erasure. Then the log is copied up to its end,
                      whatever the number of partitions: nothing else may run
    """
    is_rewritten = rewriting_of is not None
    cluster, serving = settings.cluster, serving_generation(settings, Role.OPERATOR, is_erasure=is_rewritten)
    former = topics_of(settings, serving)
    ensure_topics(cluster, former.all())
    # As after a restore from a backup: then all of the log counts, and what is in it is news.
    is_unread = not committed_by(former.group, former.inputs, cluster=cluster).total
    if not may_be_incomplete:
        refuse_incomplete(log_of(former), cluster=cluster)
    building = begin(
        settings, serving, progress, partitions=partitions or serving.layout.partitions, is_rewritten=is_rewritten
    )
    topics = topics_being_built(settings, building)
    ensure_topics(cluster, topics.all())
    rewriting = rewriting_of(topics) if rewriting_of is not None else None
    offsets = asyncio.run(_build(settings, former, topics, progress, is_unread=is_unread, rewriting=rewriting))
    if is_rewritten:
        publish_erasing(settings, is_begun=True)
    is_moved = building.layout != serving.layout
    generation = Generation(
        building.layout,
        number=serving.number + 1,
        state=building.state,
        # On the topics of before it would miss what comes to those of now.
        former_state=None if is_moved else serving.state,
        former_layouts=[*serving.former_layouts, *[serving.layout] * is_moved],
    )
    _cut_over(settings, former, generation)
    return Rebuilt(generation, offsets)


def go_back(settings: Settings) -> Generation:
    """Put the previous state back into use; it continues from its own offsets. Raises RebuildError and KafkaError."""
    serving = serving_generation(settings, Role.OPERATOR)
    if serving.former_state is None:
        raise RebuildError(
            "There is no previous state to return to.",
            remedy="After `flatline topics repartition`, repartition again with the old number of partitions.",
        )
    generation = Generation(
        serving.layout,
        number=serving.number + 1,
        state=serving.former_state,
        former_state=serving.state,
        former_layouts=serving.former_layouts,
    )
    _cut_over(settings, topics_of(settings, serving), generation)
    return generation


async def _build(
    settings: Settings,
    former: Topics,
    topics: Topics,
    progress: Progress,
    *,
    is_unread: bool,
    rewriting: Rewriting | None,
) -> int:
    building_log = KafkaBuildingLog(settings.cluster, former=former, topics=topics)
    builder = Builder(
        building_log,
        former=former,
        topics=topics,
        policy=load_policy(settings.policy_file),
        core=native_core(settings.core),
        clock=clock_from(settings),
        on_records=progress.advance,
        is_unread=is_unread,
    )
    copier = Copier(cluster=settings.cluster, former=former, on_records=progress.advance, rewriting=rewriting)
    try:
        offsets = await _build_rounds(
            builder, copier, former, topics, progress, cluster=settings.cluster, is_unread=is_unread
        )
        if rewriting is None:
            await builder.take_back_verdicts()
        else:
            # Nobody will send on what no worker has read yet: it is to be read from the new topics.
            await copier.copy_log(topics, ends_of(log_of(former), cluster=settings.cluster))
            await builder.take_back_verdicts(is_left_out=rewriting.mentions)
    except FencedError:
        raise RebuildError("Another process is building the same state.", remedy="Stop one of the two.") from None
    finally:
        await building_log.close()
    return offsets


async def _build_rounds(
    builder: Builder,
    copier: Copier,
    former: Topics,
    topics: Topics,
    progress: Progress,
    *,
    cluster: KafkaCluster,
    is_unread: bool,
) -> int:
    total = 0
    for number in range(1, ROUNDS_MAX + 1):
        if is_unread:
            limits = ends_of(former.inputs, cluster=cluster)
            progress.say(f"Round {number}: all {limits.total:,} offsets. No worker has read them yet.")
        else:
            # No further than this: what comes later the workers have not dealt with.
            limits = committed_by(former.group, former.inputs, cluster=cluster)
            progress.say(f"Round {number}: up to {limits.total:,} offsets, which the workers have committed.")
        progress.begin(max(0, limits.total - total))
        if former.layout != topics.layout:
            await copier.copy_log(topics, limits)
            limits = ends_of(log_of(topics), cluster=cluster)
        offsets = await builder.build(limits)
        if former.layout != topics.layout:
            # After the build has taken over how articles stand: what was said since is said again.
            await copier.copy_verdicts(topics)
        total += offsets
        if offsets <= ENOUGH_OFFSETS:
            break
    return total


def _cut_over(settings: Settings, former: Topics, generation: Generation) -> None:
    """Put a generation into use, and make sure that workers with the former one write nothing more."""
    publish_serving(settings, generation)
    publish_building(settings, None)
    wait_left(settings, former)
    asyncio.run(_fence(settings, former))


def wait_left(settings: Settings, former: Topics) -> None:
    """Wait until the workers have left the former group, or their sessions have expired."""
    give_up_at_s = monotonic() + settings.session_timeout_s + LEFT_WITHIN_S
    with settings.cluster.admin() as admin:
        while admin.describe_groups([former.group])[former.group]["members"] and monotonic() < give_up_at_s:
            sleep(_LOOK_EVERY_S)


async def _fence(settings: Settings, former: Topics) -> None:
    # A worker that is paused, and can't be told, must not write verdicts when it wakes up.
    changelog = KafkaChangelog(former.changelog.name, group=former.group, cluster=settings.cluster)
    for number in range(former.changelog.partitions):
        writer = await changelog.fence(number)
        await writer.close()
