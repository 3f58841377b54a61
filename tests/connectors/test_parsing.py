"""Bodies as senders pack them."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline_connectors.ingest import parsing
from flatline_connectors.ingest.answers import Refused


@given(parts=st.lists(st.binary(max_size=99), min_size=1, max_size=5), name=st.sampled_from(["gzip", "x-gzip"]))
def test_all_members_of_a_gzip_body_are_read(parts: list[bytes], name: str) -> None:
    """However many there are, also with a block that is filled up with zeros, and under the old name."""
    body = b"".join(map(gzip.compress, parts))
    plain = b"".join(parts)
    for packed in (body, body + bytes(512)):
        assert parsing.decompress(packed, encoding=name, bytes_max=len(plain)) == plain
    if plain:
        with pytest.raises(Refused) as refused:
            parsing.decompress(body, encoding=name, bytes_max=len(plain) - 1)
        assert refused.value.status == 413


def test_a_cut_body_says_how_far_it_was_read() -> None:
    """In bytes of what is in it; what follows the last member is named by where it is."""
    first, second = gzip.compress(b"a" * 1_234), gzip.compress(bytes(range(256)) * 99)
    readable = len(zlib.decompressobj(31).decompress(second[:-20]))
    with pytest.raises(Refused, match=rf"ends too soon\. {1_234 + readable:,} bytes") as refused:
        parsing.decompress(first + second[:-20], encoding="gzip", bytes_max=1 << 20)
    assert refused.value.code == "bad_gzip"
    with pytest.raises(Refused, match=f"not gzip from byte {len(first)} on"):
        parsing.decompress(first + b"more", encoding="gzip", bytes_max=1 << 20)


def test_half_an_emoji_takes_no_other_event_with_it() -> None:
    """JavaScript that cuts text leaves half a surrogate pair: grammatical JSON, and no text."""
    events = [b'{"a":1}', rb'{"anchor":"nice \ud83d"}', b'{"a":3}']
    assert parsing.split(b"[" + b",".join(events) + b"]", content_type=parsing.JSON, events_max=3) == events
