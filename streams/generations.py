"""Which generation of the state serves: read from Kafka by all who need to know their topics, written by a cutover."""

from collections.abc import Mapping
from typing import Final

from flatline.readmodel.latest_verdicts import latest_values
from flatline.schema import codec
from flatline.schema.generation import BUILDING, SERVING, Building, Generation, Layout
from flatline.schema.topics import Topics
from flatline.settings import Settings

_TIMEOUT_S: Final = 30.0
# The first that every command asks: whoever has no Kafka is to read so soon.
_CONNECT_TIMEOUT_MS: Final = 10_000


def serving_topics(settings: Settings) -> Topics:
    """Return the topics of the generation that serves. Raises KafkaError."""
    return topics_of(settings, serving_generation(settings))


def serving_generation(settings: Settings) -> Generation:
    """Return the generation that serves: the first one, of the settings, where nothing says otherwise.

    Raises KafkaError.
    """
    value = _newest(settings).get(SERVING)
    return first_generation(settings) if value is None else codec.generations.decode(value)


def first_generation(settings: Settings) -> Generation:
    """Return the one that an installation begins with."""
    return Generation(Layout(1, settings.partitions))


def generation_being_built(settings: Settings) -> Building | None:
    """Return the state that is being made; None when none is. Raises KafkaError."""
    value = _newest(settings).get(BUILDING)
    return None if value is None else codec.buildings.decode(value)


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


def _topics(settings: Settings, layout: Layout, state: int) -> Topics:
    return Topics(
        namespace=settings.namespace,
        partitions=layout.partitions,
        replication_factor=settings.replication_factor,
        retention_days=settings.retention_days,
        layout=layout.number,
        state=state,
    )


def _newest(settings: Settings) -> Mapping[bytes, bytes]:
    topic = settings.topics.generations
    consumer = settings.cluster.consumer(
        bootstrap_timeout_ms=_CONNECT_TIMEOUT_MS, enable_auto_commit=False, group_id=None
    )
    try:
        if topic.name not in consumer.topics():  # an installation from before there were generations
            return {}
    finally:
        consumer.close()
    return latest_values(settings.cluster, topic)


def _write(settings: Settings, key: bytes, value: bytes | None) -> None:
    producer = settings.cluster.producer(acks="all", allow_auto_create_topics=False)
    try:
        producer.send(settings.topics.generations.name, value, key=key, partition=0).get(_TIMEOUT_S)
    finally:
        producer.close()
