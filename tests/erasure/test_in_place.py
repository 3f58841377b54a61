"""A topic that keeps its name is rewritten: what else is in it keeps its order, and still says what it said."""

from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.engine.log import Outgoing
from flatline.erasure import in_place
from flatline.kafka.cluster import KafkaCluster
from flatline.schema.dead_letter import RESENDS_HEADER, resent
from flatline.schema.topics import Topics

LETTERS = Topics().dead_letters


class Letter(NamedTuple):
    """A dead letter, or a note that the one at another offset was sent again."""

    offset: int
    value: bytes
    headers: list[tuple[str, bytes]]
    key: bytes = b"key"
    partition: int = 0
    timestamp: int = 1


class WithoutNamed:
    """Leaves out what contains a name."""

    def rewritten(self, record: Outgoing) -> Outgoing | None:
        """Return it, or None."""
        return None if self.mentions(record.value) else record

    def mentions(self, data: bytes | None) -> bool:
        """Whether it contains the name."""
        return b"jane" in (data or b"")


gaps = st.integers(1, 3)  # offsets of transactions lie between records
letters = st.lists(st.tuples(gaps, st.sampled_from([b"jane", b"other"]), st.integers(0, 9)), max_size=10)


@given(letters)
def test_letters_that_were_sent_again_are_still_known(drawn: list[tuple[int, bytes, int]]) -> None:
    """A note that a letter was sent again names its new offset; one of a letter that is gone goes, too."""
    stored, offset = [], 0
    for gap, value, of in drawn:
        offset += gap
        before = [each for each in stored if each.value]
        noted = before[of % len(before)] if before and of % 2 else None
        stored.append(
            Letter(offset, value if noted is None else b"", [] if noted is None else resent(noted.offset, by=None))
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(in_place, "_committed", lambda _cluster, _name: iter(stored))
        copy = in_place.copy_of(LETTERS)
        kept = list(in_place._rewritten(KafkaCluster("nowhere:1"), LETTERS, copy, WithoutNamed()))
    assert {each.topic for each in kept} <= {copy.name}
    assert _told(list(enumerate(kept))) == [
        each for each in _told([(letter.offset, letter) for letter in stored]) if b"jane" not in (each[0], each[1])
    ]


def _told(records: list[tuple[int, Any]]) -> list[tuple[bytes, bytes]]:
    """Return of each record what it is, and what the letter is that it says something of."""
    values = {offset: record.value for offset, record in records}
    said = []
    for _, record in records:
        number = dict(record.headers).get(RESENDS_HEADER)
        said.append((record.value, b"" if number is None else values[int(number)]))
    return said
