"""Chooses the state that a rebuild writes, and deletes states that an earlier rebuild abandoned."""

import hashlib
from contextlib import suppress
from typing import Final

from kafka.errors import GroupIdNotFoundError, NonEmptyGroupError

from flatline.agents.former_topics import group_of
from flatline.generations import generation_being_built, publish_building, topics_being_built, topics_of
from flatline.rebuild.progress import Progress
from flatline.schema.generation import Building, Generation, Layout
from flatline.schema.topics import Topics
from flatline.settings import Settings

_REWRITTEN: Final = "rewritten"


def begin(
    settings: Settings, serving: Generation, progress: Progress, *, partitions: int, is_rewritten: bool = False
) -> Building:
    """Return the generation to build: the one that was begun if partitions and rules are the same, else the next one.

    In the second case, the one that was begun and the one before the state in use are deleted first. One whose records
    are rewritten has topics of its own, and is never continued: other records may have been written by other rules.
    Raises KafkaError.
    """
    begun, rules = generation_being_built(settings), _REWRITTEN if is_rewritten else _rules(settings)
    if begun is not None and begun.state in (serving.state, serving.former_state):
        begun = None  # it was finished: only that was not written down any more
    if begun is not None and not is_rewritten and (begun.layout.partitions, begun.rules) == (partitions, rules):
        progress.say(f"Continuing with state {begun.state}, which was begun before.")
        return begun
    is_moved = is_rewritten or partitions != serving.layout.partitions
    layouts = [serving.layout, *serving.former_layouts, *([begun.layout] if begun else [])]
    layout = Layout(max(each.number for each in layouts) + 1, partitions) if is_moved else serving.layout
    states = (serving.state, serving.former_state or 0, begun.state if begun else 0)
    if begun is not None:
        _remove(settings, topics_being_built(settings, begun), topics_of(settings, serving))
    if serving.former_state is not None:
        former = Building(serving.layout, state=serving.former_state, rules="")
        _remove(settings, topics_being_built(settings, former), topics_of(settings, serving))
    building = Building(layout, state=max(states) + 1, rules=rules)
    publish_building(settings, building)
    return building


def discard_begun(settings: Settings, serving: Generation) -> None:
    """Delete a state that was begun and is not in use, with all that was copied for it. Raises KafkaError."""
    begun = generation_being_built(settings)
    if begun is None:
        return
    if begun.state not in (serving.state, serving.former_state):
        _remove(settings, topics_being_built(settings, begun), topics_of(settings, serving))
    publish_building(settings, None)


def _rules(settings: Settings) -> str:
    text = b"" if settings.policy_file is None else settings.policy_file.read_bytes()
    return hashlib.sha256(text).hexdigest()[:16]


def _remove(settings: Settings, topics: Topics, serving: Topics) -> None:
    """Delete a state that is not in use: its changelog, its consumer group, and the topics that no other state uses."""
    abandoned = {topic.name for topic in topics.all()} - {topic.name for topic in serving.all()}
    with settings.cluster.admin() as admin:
        names = [name for name in admin.list_topics() if name in abandoned]
        if names:
            admin.delete_topics(names)
        with suppress(GroupIdNotFoundError, NonEmptyGroupError):
            admin.delete_groups([topics.group])
        if topics.layout != serving.layout:
            # What was copied is gone: it is to be copied from the beginning.
            copied = admin.list_group_offsets({group_of(serving): None})[group_of(serving)]
            ours = {topic.name for topic in serving.all()}
            if partitions := [tp for tp in copied if tp.topic in ours]:
                admin.delete_group_offsets(group_of(serving), partitions)
