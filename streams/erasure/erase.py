"""What `flatline erase` does: everything that mentions somebody is rewritten, then everything is searched for them.

The topics that are keyed by article are copied into new ones, and a state is built from these, as for another number of
partitions: until that is done, the old ones are in use, and a run that is interrupted has changed nothing. From then on
an interrupted run must be completed by another one: nothing else starts until that has happened. A run for
somebody else makes all topics whole again, too, but erases only them.
"""

import asyncio
import secrets
from contextlib import suppress
from typing import Final, NamedTuple

from kafka.errors import GroupIdNotFoundError
from msgspec import structs

from flatline.admin.instances import known_instances
from flatline.admin.topics import ensure_topics
from flatline.agents.former_topics import group_of
from flatline.domain.time import to_ms
from flatline.erasure.eraser import KEY_BYTES, Eraser
from flatline.erasure.errors import ErasureError
from flatline.erasure.in_place import copy_of, delete, restore, rewrite_in_place
from flatline.erasure.scan import existing, found_in
from flatline.erasure.subject import Subject
from flatline.generations import (
    generation_being_built,
    publish_erasing,
    publish_serving,
    serving_generation,
    topics_being_built,
    topics_of,
    topics_of_layout,
)
from flatline.kafka.permissions import Role
from flatline.policy_file import load_policy
from flatline.readmodel.read_models import ReadModels
from flatline.rebuild.beginning import discard_begun
from flatline.rebuild.copying import Copier
from flatline.rebuild.extent import committed_by, ends_of, log_of
from flatline.rebuild.progress import Progress
from flatline.rebuild.rebuild import rebuild, wait_left
from flatline.schema.generation import Building, Generation
from flatline.schema.topics import Topic, Topics
from flatline.settings import Settings

ANNOUNCED_WITHIN_MS: Final = 60_000
"""Processes announce themselves several times a minute."""


class Erased(NamedTuple):
    """How many records of each topic mentioned somebody before and after, and the read models that were deleted."""

    before: dict[str, int]
    left: dict[str, int]
    deleted: list[str]
    left_read_models: list[str]

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left."""
        return not any(self.left.values()) and not self.left_read_models


def search(settings: Settings, subject: Subject) -> dict[str, int]:
    """Return how many records of each topic mention somebody. Changes nothing. Raises KafkaError."""
    generation = serving_generation(settings, Role.OPERATOR, is_erasure=True)
    names = [name for topics in _all(settings, generation) for topic in topics.all() for name in _with_copy(topic)]
    return found_in(settings.cluster, names, _eraser(settings, subject, settings.topics).mentions)


def erase(
    settings: Settings,
    subject: Subject,
    progress: Progress,
    *,
    read_models: ReadModels,
    now_ms: int,
    may_be_incomplete: bool = False,
) -> Erased:
    """Remove somebody from everything, then search everything. Nothing else may run meanwhile.

    Raises ErasureError, and what `rebuild` raises.
    """
    cluster, generation = settings.cluster, serving_generation(settings, Role.OPERATOR, is_erasure=True)
    topics = topics_of(settings, generation)
    ensure_topics(cluster, topics.all())
    _refuse_running(settings, topics, now_ms=now_ms)
    progress.say("Searching everything …")
    for topic in _fixed(topics):
        restore(cluster, topic)
    asyncio.run(_send_on(settings, generation, topics, progress))
    before = search(settings, subject)
    deleted = read_models.discard_all()
    if any(before.get(topic.name) for topic in _keyed(topics)):
        rebuild(
            settings,
            progress,
            may_be_incomplete=may_be_incomplete,
            rewriting_of=lambda new: _eraser(settings, subject, new),
        )
        generation = serving_generation(settings, Role.OPERATOR, is_erasure=True)
        topics = topics_of(settings, generation)
    else:
        discard_begun(settings, generation)
    publish_erasing(settings, is_begun=True)
    _remove_former(settings, generation, topics)
    eraser = _eraser(settings, subject, topics)
    for topic in _fixed(topics):
        if before.get(topic.name):
            progress.say(f"Rewriting {topic.name} …")
            rewrite_in_place(cluster, topic, eraser)
    ensure_topics(cluster, topics.all())
    publish_erasing(settings, is_begun=False)
    progress.say("Searching everything again …")
    return Erased(before, search(settings, subject), deleted, read_models.names())


def _eraser(settings: Settings, subject: Subject, topics: Topics) -> Eraser:
    ignored = load_policy(settings.policy_file).ignored
    return Eraser(subject, topics=topics, key=secrets.token_bytes(KEY_BYTES), ignored=ignored)


def _refuse_running(settings: Settings, topics: Topics, *, now_ms: int) -> None:
    """Raise ErasureError while another process of the installation runs."""
    running = [
        f"{each.role} at {each.address}"
        for each in known_instances(settings).values()
        if to_ms(each.announced_at) > now_ms - ANNOUNCED_WITHIN_MS
    ]
    if not running:
        # Of a Kafka that has just started, this waits until it knows its groups.
        committed_by(topics.group, [topics.links], cluster=settings.cluster)
        wait_left(settings, topics)
        with settings.cluster.admin() as admin:
            running = ["a worker"] * len(admin.describe_groups([topics.group])[topics.group]["members"])
    if running:
        raise ErasureError(
            f"Something runs: {', '.join(running)}.",
            remedy="Stop workers, ingest, serve and connectors, and what else writes to these topics. A process that "
            "died counts as running for a minute; `flatline instances forget` ends that.",
        )


def _keyed(topics: Topics) -> list[Topic]:
    """Return the topics that each layout, or each state, has of its own."""
    other = Topics(namespace=topics.namespace, layout=topics.layout.number + 1, state=topics.state + 1)
    names = {topic.name for topic in other.all()}
    return [topic for topic in topics.all() if topic.name not in names]


def _fixed(topics: Topics) -> list[Topic]:
    """Return the topics that keep their names, but for the one that says what is in use."""
    keyed = {topic.name for topic in (*_keyed(topics), topics.generations)}
    return [topic for topic in topics.all() if topic.name not in keyed]


def _with_copy(topic: Topic) -> tuple[str, str]:
    return topic.name, copy_of(topic).name


def _all(settings: Settings, generation: Generation) -> list[Topics]:
    """Return the topics that are in use, then those of all other layouts and states that there may be."""
    building = generation_being_built(settings)
    layouts = [generation.layout, *generation.former_layouts, *([building.layout] if building else [])]
    newest = max(generation.state, building.state if building else 0)
    return [
        topics_of(settings, generation),
        *(
            topics_being_built(settings, Building(layout, state=state, rules=""))
            for layout in layouts
            for state in range(1, newest + 1)
        ),
    ]


async def _send_on(settings: Settings, generation: Generation, topics: Topics, progress: Progress) -> None:
    """Copy what producers wrote to former topics and no worker has sent on. Raises KafkaError."""
    for layout in generation.former_layouts:
        former = topics_of_layout(settings, layout)
        ensure_topics(settings.cluster, log_of(former))
        copier = Copier(cluster=settings.cluster, former=former, on_records=progress.advance)
        await copier.copy_log(topics, ends_of(log_of(former), cluster=settings.cluster))


def _remove_former(settings: Settings, generation: Generation, topics: Topics) -> None:
    """Delete all topics of other layouts and states; make those anew that producers may still write to.

    Raises ErasureError where something was written to them that is nowhere else, and KafkaError.
    """
    cluster, group = settings.cluster, group_of(topics)
    logs = [topic for layout in generation.former_layouts for topic in log_of(topics_of_layout(settings, layout))]
    there = set(existing(cluster, [topic.name for topic in logs]))
    written = [topic for topic in logs if topic.name in there]
    copied, ends = committed_by(group, written, cluster=cluster), ends_of(written, cluster=cluster)
    if late := [topic.name for topic in written if ends.offsets[topic.name] != copied.offsets[topic.name]]:
        raise ErasureError(f"{', '.join(late)} was written to during the erasure.")
    kept = {topic.name for topic in topics.all()}
    names = {topic.name for each in _all(settings, generation) for topic in each.all()} - kept
    publish_serving(settings, structs.replace(generation, former_state=None))
    delete(cluster, sorted(names))
    with cluster.admin() as admin, suppress(GroupIdNotFoundError):
        offsets = admin.list_group_offsets({group: None})[group]
        if gone := [partition for partition in offsets if partition.topic in names]:
            admin.delete_group_offsets(group, gone)
    ensure_topics(cluster, logs)
