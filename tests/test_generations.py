"""Which state serves, read from a topic into which anybody may have written anything."""

import pytest

from flatline.generations import UnreadableGenerationError, newest_readable
from flatline.schema import codec
from flatline.schema.generation import Generation, Layout

FIRST, SECOND = (Generation(Layout(1, 8), number=number, state=number) for number in (1, 2))
GOOD, BETTER = (codec.generations.encode(each) for each in (FIRST, SECOND))


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([], None),
        ([None], None),
        ([GOOD, BETTER], SECOND),
        ([GOOD, BETTER, b"\xff", b"{}"], SECOND),
        ([b"nonsense", GOOD], FIRST),
        ([GOOD, None], None),
        ([b"nonsense", None], None),
    ],
)
def test_the_newest_that_can_be_read_counts(values: list[bytes | None], found: Generation | None) -> None:
    """Workers go by it, too; a tombstone takes all before it back."""
    assert newest_readable(values, codec.generations.decode, what="a topic") == found


def test_where_none_can_be_read_nobody_guesses(caplog: pytest.LogCaptureFixture) -> None:
    """A command that took the first state for the one that serves would write to topics that nobody reads."""
    with pytest.raises(UnreadableGenerationError, match="a topic: no record can be read") as raised:
        newest_readable([b"nonsense", b"{}"], codec.generations.decode, what="a topic")
    assert "Write the record again" in raised.value.remedy
    assert "an unreadable record of a topic is skipped" in caplog.text
