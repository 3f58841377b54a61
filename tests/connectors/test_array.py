"""Arrays are split as they are read."""

import json
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline_connectors.files.array import STEPS_MAX, NotAnArray, TooComplex, elements
from flatline_connectors.ingest import parsing
from flatline_connectors.ingest.answers import Refused

MIB = 1 << 20

values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text() | st.sampled_from(['"', "\\", "[", "}", ","]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
# What no decoder takes, and what ends with its own last byte nevertheless.
bad = st.sampled_from(
    [b'{"a":"\\ud83d"}', b'{"a":"\xff"}', b"nonsense", b"{]", b'{"a" 1}', b"[" * 2_000 + b"]" * 2_000]
)
spaces = st.text(" \t\r\n", max_size=2).map(str.encode)


@given(
    written=st.lists(st.tuples(spaces, values.map(lambda value: json.dumps(value).encode()) | bad, spaces)),
    around=st.tuples(spaces, spaces),
)
def test_each_element_is_as_it_was_written(
    written: list[tuple[bytes, bytes, bytes]], around: tuple[bytes, bytes]
) -> None:
    """Whatever stands in it, and whatever stands beside it: a bad element harms no other."""
    body = around[0] + b"[" + b",".join(map(b"".join, written)) + b"]" + around[1]
    assert list(elements(body)) == [element for _, element, _ in written]
    assert parsing.split(body, content_type=parsing.JSON, events_max=1_000) == [element for _, element, _ in written]


@pytest.mark.parametrize("body", [b"[1", b'["', b'["\\', b"[[1]", b"[1}", b"[1]]", b"[1] 2", b"[", b'[{"a":1'])
def test_what_is_no_whole_array(body: bytes) -> None:
    """It is refused as a whole, as nobody knows what is missing."""
    with pytest.raises(NotAnArray):
        list(elements(body))
    with pytest.raises(Refused) as refused:
        parsing.split(body, content_type=parsing.JSON, events_max=10)
    assert (refused.value.status, refused.value.code) == (400, "bad_json")


def test_a_missing_element_is_one_that_is_empty() -> None:
    """A comma too many harms no element."""
    assert list(elements(b"[1,,2,]")) == [b"1", b"", b"2", b""]


def _bombs() -> Iterator[tuple[str, bytes]]:
    size = 8 * MIB
    yield "many elements", b"[" + b"1," * (size // 2 - 2) + b"1]"
    yield "one element of many", b"[[" + b"1," * (size // 2 - 3) + b"1]]"
    yield "brackets", b"[" * size
    yield "pairs of brackets", b"[[" + b"[]," * (size // 3 - 2) + b"1]]"
    yield "strings", b"[[" + b'"",' * (size // 3 - 2) + b"1]]"
    yield "escapes", b'["' + b'\\"' * (size // 2 - 3) + b'"]'
    yield "an open string", b'["' + b"\\\\" * (size // 2 - 2)


@pytest.mark.parametrize("body", [body for _, body in _bombs()], ids=[name for name, _ in _bombs()])
def test_no_body_costs_more_memory_than_it_has_bytes(body: bytes) -> None:
    """However it is made: it is taken apart no further than the limit, and its structure is never built."""
    tracemalloc.start()
    try:
        with suppress(Refused):
            parsing.split(body, content_type=parsing.JSON, events_max=10_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * len(body)


def test_no_more_is_read_than_is_asked_for() -> None:
    """What follows the limit is not even looked at."""
    assert list(islice(elements(b"[1,2,3,4" + b'"'), 3)) == [b"1", b"2", b"3"]


def test_brackets_are_counted() -> None:
    """Each costs time, and no batch of events has so many."""
    with pytest.raises(TooComplex):
        list(elements(b"[" + b"[]" * STEPS_MAX + b"]"))
    with pytest.raises(Refused) as refused:
        parsing.split(b"[" + b"[" * STEPS_MAX + b"]", content_type=parsing.JSON, events_max=10)
    assert (refused.value.status, refused.value.code) == (413, "too_complex")
