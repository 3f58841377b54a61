"""Follows all topics into the read model, in a thread of its own, and makes it anew where that is needed."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from time import monotonic
from typing import Final, NamedTuple

from kafka import TopicPartition
from kafka.errors import KafkaError
from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError

from flatline.domain.policy.policy import Policy
from flatline.errors import FlatlineError
from flatline.kafka.cluster import Consumer, KafkaCluster
from flatline.readmodel.database import (
    AwayError,
    ClosedError,
    Database,
    DeadlineError,
    NotTheWriterError,
    ReadModelError,
)
from flatline.readmodel.other_rows import forget_dead_letters
from flatline.readmodel.projection import Projection, followed
from flatline.readmodel.read_models import (
    Identity,
    ReadModels,
    identity_in,
    identity_of,
    is_complete,
    mark_complete,
    stored_positions,
)
from flatline.schema.topics import Topics

RETRY_S: Final = 2.0
POLL_MS: Final = 500
RECORDS_MAX: Final = 5_000
LOOK_EVERY_S: Final = 2.0
STAND_BY_S: Final = 1.0
"""Between two looks of a process that only reads: its live feed is as late."""

log = logging.getLogger("flatline.readmodel")


class Progress(NamedTuple):
    """How far the read model is.

    ``records``      applied since the process started
    ``waiting``      records that it does not hold yet; None before that is known
    ``is_current``   whether the database that answers is the one that follows the topics and once held all of them
    ``is_writer``    whether this process writes it
    """

    records: int = 0
    waiting: int | None = None
    is_current: bool = False
    is_writer: bool = False


class NothingReadError(Exception):
    """There is no read model yet: it is being made."""


class Follower:
    """Keeps the read model equal to the topics, for as long as its thread runs.

    What answers is the database that was complete last; another one takes its place when it has become so. Where
    another process writes, this one only reads, and takes over when that one is gone.
    """

    def __init__(
        self,
        cluster: KafkaCluster,
        read_models: ReadModels,
        *,
        topics: Callable[[], Topics],
        policy: Policy,
        rules: bytes,
        on_commit: Callable[[], None] = lambda: None,
    ) -> None:
        """``topics``: asked for those that serve now. ``on_commit`` is called in the thread, after each transaction."""
        self._cluster = cluster
        self._read_models = read_models
        self._topics = topics
        self._policy = policy
        self._rules = rules
        self._on_commit = on_commit
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="read-model")
        self._lock = threading.Lock()
        self._database: Database | None = None
        self._progress = Progress()
        self.failure: BaseException | None = None

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return self._progress

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection of the database that answers.

        Raises NothingReadError and AwayError, and DeadlineError as it is used.
        """
        with ExitStack() as opened:
            while True:
                with self._lock:
                    database = self._database
                if database is None:
                    raise NothingReadError
                try:
                    connection = opened.enter_context(database.reading())
                except ClosedError:
                    if database is self._database:  # somebody deleted it: this is noticed soon
                        raise NothingReadError from None
                    continue  # it was replaced just now
                break
            yield connection

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """End, after the transaction that is under way."""
        self._stop.set()
        self._thread.join()
        self._read_models.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                if self._read_models.become_writer():
                    if not self._progress.is_writer:
                        self._progress = self._progress._replace(is_writer=True, is_current=False, waiting=None)
                    self._follow()
                else:
                    self._stand_by()
                    continue
            except KafkaError as error:
                log.warning("the topics can't be read, trying again in %s s: %s", RETRY_S, error)
            except NotTheWriterError:
                log.warning("another process writes the read model now")
                continue
            except (ClosedError, DeadlineError):
                log.warning("the read model was deleted, or is too busy: trying again in %s s", RETRY_S)
            except (AwayError, InterfaceError, OperationalError, ReadModelError, OSError) as error:
                log.error("the read model can't be written, trying again in %s s: %s", RETRY_S, error)  # noqa: TRY400
            except FlatlineError as error:
                log.warning("%s Trying again in %s s.", error, RETRY_S)
            except BaseException as error:
                self.failure = error
                log.exception("the read model has a bug")
                return
            self._stop.wait(RETRY_S)

    def _stand_by(self) -> None:
        """Answer from what another process writes, until this one may write."""
        self._progress = self._progress._replace(is_writer=False)
        topics = self._topics()
        before: dict[tuple[str, int], int] = {}
        with self._consumer() as consumer:
            while not self._stop.wait(STAND_BY_S) and not self._read_models.become_writer():
                database = self._look(identity_of(topics, self._rules))
                if not self._progress.is_current:
                    topics = self._topics()
                if database is None:
                    continue
                partitions = _partitions(topics)
                consumer.assign(partitions)
                with database.reading() as connection:
                    positions = stored_positions(connection)
                ends = consumer.end_offsets(partitions)
                waiting = sum(max(0, ends[tp] - positions.get((tp.topic, tp.partition), 0)) for tp in partitions)
                self._progress = self._progress._replace(waiting=waiting)
                if positions != before:
                    before = positions
                    self._on_commit()

    def _look(self, identity: Identity) -> Database | None:
        """Answer from the newest complete read model; return the one that answers."""
        answering, going_on = self._read_models.find(identity)
        if going_on is not None and going_on is not answering:
            going_on.close()
        with self._lock:
            before = self._database
            is_same = answering is not None and before is not None and answering.name == before.name
            if not is_same:
                self._database = answering
        is_current = answering is not None and answering is going_on
        self._progress = self._progress._replace(is_current=is_current)
        replaced = answering if is_same else before
        if replaced is not None:
            replaced.close()
        return self._database

    def _follow(self) -> None:
        """Follow the topics that serve until that ends: other ones serve, or the read model is lost."""
        topics = self._topics()
        identity = identity_of(topics, self._rules)
        with self._lock:
            answering = self._database
        if answering is None:
            answering, going_on = self._read_models.find(identity)
            self._answer_with(answering, is_current=answering is going_on and answering is not None)
        elif not answering.is_lost and identity_in(answering) == str(identity):
            going_on = answering
        else:
            going_on = self._read_models.find_begun(identity, besides=answering)
        if going_on is None:
            going_on = self._read_models.new(identity, answering)
            log.warning("the read model is made anew from the topics: %s", going_on.name)
        try:
            self._fill(going_on, topics)
        finally:
            if going_on is not self._database:
                going_on.close()

    def _fill(self, database: Database, topics: Topics) -> None:
        was_complete = is_complete(database)
        projection = Projection(database, topics, self._policy, is_building=not was_complete)
        with self._consumer() as consumer:
            partitions = _partitions(topics)
            generations = TopicPartition(topics.generations.name, 0)
            consumer.assign([*partitions, generations])
            consumer.seek_to_end(generations)
            if not self._seek(consumer, projection, partitions):
                log.warning("the topics were made anew, and so is the read model")
                self._forget(database)
                return
            letters = TopicPartition(topics.dead_letters.name, 0)
            forget_dead_letters(database, consumer.beginning_offsets([letters])[letters])
            looked_s, is_first = -LOOK_EVERY_S, True
            while not self._stop.is_set() and not database.is_lost:
                fetched = consumer.poll(timeout_ms=POLL_MS, max_records=RECORDS_MAX)
                if (is_first or fetched.pop(generations, None)) and self._other_topics_serve(topics):
                    log.warning("other topics serve: the read model is made anew")
                    self._forget(None)
                    return
                is_first = False
                batch = {(tp.topic, tp.partition): records for tp, records in fetched.items()}
                count = projection.apply(batch)
                if count:
                    self._progress = self._progress._replace(records=self._progress.records + count)
                    self._on_commit()
                if monotonic() - looked_s < LOOK_EVERY_S and (fetched or self._progress.waiting == 0):
                    continue
                looked_s = monotonic()
                projection.skip_to({(tp.topic, tp.partition): consumer.position(tp) for tp in partitions})
                waiting = _waiting(consumer, partitions)
                self._progress = self._progress._replace(waiting=waiting)
                if waiting == 0 and not self._progress.is_current:
                    if not was_complete:
                        projection.settle()
                        mark_complete(database)
                        was_complete = True
                    self._answer_with(database, is_current=True)
        if database.is_lost:
            log.warning("%s is gone, and made anew; until then what was read before answers", database.name)
            self._forget(None)

    def _other_topics_serve(self, topics: Topics) -> bool:
        return identity_of(self._topics(), self._rules) != identity_of(topics, self._rules)

    def _seek(self, consumer: Consumer, projection: Projection, partitions: list[TopicPartition]) -> bool:
        """Go to where the read model is; return whether that exists: it does not in topics that were made anew."""
        ends, starts = consumer.end_offsets(partitions), consumer.beginning_offsets(partitions)
        for tp in partitions:
            position = projection.position(tp.topic, tp.partition)
            if position > ends[tp]:
                return False
            if 0 < position < starts[tp]:
                log.warning("%s: records %d to %d are gone before they were read", tp, position, starts[tp])
            consumer.seek(tp, max(position, starts[tp]))
        return True

    def _answer_with(self, database: Database | None, *, is_current: bool) -> None:
        with self._lock:
            before, self._database = self._database, database
        self._progress = self._progress._replace(is_current=is_current)
        if database is None or not is_current:
            return
        self._read_models.keep_only(database)
        if before is not None and before is not database:
            before.close()

    def _forget(self, database: Database | None) -> None:
        """Have the next round make a new one. What answers goes on, unless it says what is not so any more."""
        self._progress = self._progress._replace(is_current=False)
        if database is not None:
            self._read_models.discard(database)

    @contextmanager
    def _consumer(self) -> Iterator[Consumer]:
        consumer = self._cluster.consumer(
            enable_auto_commit=False,
            group_id=None,
            auto_offset_reset="earliest",
            isolation_level="read_committed",  # workers write in transactions; what was aborted was never said
        )
        try:
            yield consumer
        finally:
            consumer.close()


def _partitions(topics: Topics) -> list[TopicPartition]:
    return [TopicPartition(topic.name, number) for topic in followed(topics) for number in range(topic.partitions)]


def _waiting(consumer: Consumer, partitions: list[TopicPartition]) -> int:
    ends = consumer.end_offsets(partitions)
    return sum(max(0, ends[tp] - consumer.position(tp)) for tp in partitions)
