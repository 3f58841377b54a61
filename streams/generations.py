"""Which generation of the state serves: read from Kafka by all who need to know their topics, written by a cutover."""

import logging
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from flatline.errors import FlatlineError
from flatline.kafka.permissions import Role
from flatline.kafka.permitted import is_there, refuse_not_permitted
from flatline.readmodel.records import records
from flatline.schema import codec
from flatline.schema.generation import BUILDING, ERASING, SERVING, Building, Erasing, Generation, Layout
from flatline.schema.rejection import Rejected
from flatline.schema.topics import Topics
from flatline.settings import Settings

T = TypeVar("T")

log = logging.getLogger("flatline.generations")

_TIMEOUT_S: Final = 30.0


class UnreadableGenerationError(FlatlineError):
    """It isn't known which state serves, or is being made."""

    remedy = (
        "Something else wrote into this topic. Write the record again with any Kafka client: its fields are those of "
        "`flatline.schema.generation`, and the names of the changelog topics say which states there are."
    )


class InterruptedErasureError(FlatlineError):
    """An erasure was interrupted when it had begun to delete topics."""

    remedy = "Run `flatline erase` again, as before: it completes what was begun. Until then nothing else may run."


def serving_topics(settings: Settings, *roles: Role) -> Topics:
    """Return the topics of the generation that serves. Raises KafkaError, and NotPermittedError as below."""
    return topics_of(settings, serving_generation(settings, *roles))


def serving_generation(settings: Settings, *roles: Role, is_erasure: bool = False) -> Generation:
    """Return the generation that serves: the first one, of the settings, where nothing says otherwise.

    ``roles`` are those in which the caller goes on. Raises NotPermittedError where a secured cluster does not allow all
    that they need, InterruptedErasureError unless the caller erases, KafkaError and UnreadableGenerationError.
    """
    refuse_not_permitted(settings.cluster, settings.topics, *roles)
    written = _written(settings)
    if not is_erasure and _newest(settings, written, ERASING, codec.erasings.decode) is not None:
        raise InterruptedErasureError("An erasure was interrupted: topics may be missing.")
    return _newest(settings, written, SERVING, codec.generations.decode) or first_generation(settings)


def first_generation(settings: Settings) -> Generation:
    """Return the one that an installation begins with."""
    return Generation(Layout(1, settings.partitions))


def generation_being_built(settings: Settings) -> Building | None:
    """Return the state that is being made; None when none is. Raises KafkaError and UnreadableGenerationError."""
    return _newest(settings, _written(settings), BUILDING, codec.buildings.decode)


def topics_of(settings: Settings, generation: Generation) -> Topics:
    """Return the topics of a generation."""
    return _topics(settings, generation.layout, generation.state)


def topics_being_built(settings: Settings, building: Building) -> Topics:
    """Return the topics of a state that is being made."""
    return _topics(settings, building.layout, building.state)


def topics_of_layout(settings: Settings, layout: Layout) -> Topics:
    """Return the topics of a layout, whatever state is made of them."""
    return _topics(settings, layout, 1)


def publish_building(settings: Settings, building: Building | None) -> None:
    """Write down which state is being made, or that none is. Raises KafkaError."""
    _write(settings, BUILDING, None if building is None else codec.buildings.encode(building))


def publish_serving(settings: Settings, generation: Generation) -> None:
    """Have a generation serve from now on. Raises KafkaError."""
    _write(settings, SERVING, codec.generations.encode(generation))


def publish_erasing(settings: Settings, *, is_begun: bool) -> None:
    """Have nothing but an erasure use the topics, or all again. Raises KafkaError."""
    _write(settings, ERASING, codec.erasings.encode(Erasing()) if is_begun else None)


def _topics(settings: Settings, layout: Layout, state: int) -> Topics:
    return Topics(
        namespace=settings.namespace,
        partitions=layout.partitions,
        replication_factor=settings.replication_factor,
        retention_days=settings.retention_days,
        layout=layout.number,
        state=state,
    )


def _written(settings: Settings) -> list[tuple[bytes | None, bytes | None]]:
    """Return key and value of all that is written."""
    topic = settings.topics.generations
    if not is_there(settings.cluster, topic):  # an installation from before there were generations
        return []
    return [(record.key, record.value) for record in records(settings.cluster, topic)]


def _newest(
    settings: Settings,
    written: Iterable[tuple[bytes | None, bytes | None]],
    key: bytes,
    decode: Callable[[bytes], T],
) -> T | None:
    """Return the newest that can be read, as workers do; None where nothing is written or all is taken back."""
    values = (value for each, value in written if each == key)
    return newest_readable(values, decode, what=f"{settings.topics.generations.name}, key {key.decode()}")


def newest_readable(values: Iterable[bytes | None], decode: Callable[[bytes], T], *, what: str) -> T | None:
    """Return what the newest value says that can be read; None where there is none, or a tombstone after it.

    Raise UnreadableGenerationError where none of them can be read: what is left out is said in the log.
    """
    found: T | None = None
    unreadable: Rejected | None = None
    for value in values:
        if value is None:
            found = unreadable = None
            continue
        try:
            found = decode(value)
        except Rejected as error:
            log.warning("an unreadable record of %s is skipped: %s", what, error)
            unreadable = error
    if found is None and unreadable is not None:
        raise UnreadableGenerationError(f"{what}: no record can be read: {unreadable}")
    return found


def _write(settings: Settings, key: bytes, value: bytes | None) -> None:
    producer = settings.cluster.producer(acks="all", allow_auto_create_topics=False)
    try:
        producer.send(settings.topics.generations.name, value, key=key, partition=0).get(_TIMEOUT_S)
    finally:
        producer.close()
