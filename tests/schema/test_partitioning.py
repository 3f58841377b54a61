"""The partition of a key."""

import kafka.partitioner
from hypothesis import given
from hypothesis import strategies as st

from flatline.schema.partitioning import murmur2


@given(st.binary(max_size=300))
def test_it_is_the_hash_of_all_kafka_producers(key: bytes) -> None:
    """Whatever the key, the hash is the one that kafka-python computes after Kafka's own source."""
    assert murmur2(key) == kafka.partitioner.murmur2(key)
