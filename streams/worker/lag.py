"""How many records wait to be applied."""

from collections.abc import Iterable, Sequence
from typing import Final

from flatline.engine.assignment import Assignment
from flatline.engine.log import Consumer
from flatline.engine.task import Task
from flatline.schema.topics import Topics

LAGGING_RECORDS: Final = 10_000


class Lag:
    """Compares what the tasks have applied with where their partitions end, for a reader of committed records."""

    def __init__(self, *, topics: Topics, assignment: Assignment, consumer: Consumer) -> None:
        self._links = (topics.links.name, topics.articles.name, topics.copies.name)
        self._topics = tuple(topic.name for topic in topics.inputs)
        self._assignment = assignment
        self._consumer = consumer

    def waiting(self) -> dict[tuple[str, int], int]:
        """Return the records that wait, by topic and partition; without those of which it isn't known yet."""
        known = self._known(self._assignment.tasks.values(), self._topics)
        return {key: lag for key, lag in known.items() if lag is not None}

    def is_lagging(self) -> bool:
        """Whether so many records wait, or it isn't known how many, that an article may have gained links unseen.

        Visits and removals that wait hide no link.
        """
        lags = self._known(self._assignment.tasks.values(), self._links).values()
        return any(lag is None for lag in lags) or sum(lag or 0 for lag in lags) > LAGGING_RECORDS

    def _known(self, tasks: Iterable[Task], topics: Sequence[str]) -> dict[tuple[str, int], int | None]:
        return {(topic, task.number): self._of(task, topic) for task in tasks for topic in topics}

    def _of(self, task: Task, topic: str) -> int | None:
        position, end = task.position(topic), self._consumer.fetched(topic, task.number).end
        return None if position is None or end is None else max(0, end - position)
