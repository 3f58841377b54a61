"""Dead letters, cut to what their topic takes."""

from hypothesis import given
from hypothesis import strategies as st

from flatline.engine.batch_writer import batch_bytes_max
from flatline.engine.log import Outgoing
from flatline.engine.oversized_letters import shortened
from flatline.schema.dead_letter import dead_letter
from flatline.schema.rejection import Reason, Rejected


@given(
    st.none() | st.binary(max_size=3_000),
    st.integers(0, 9_000),
    st.text(max_size=600),
    st.integers(3_500, 12_000),
)
def test_a_dead_letter_fits(key: bytes | None, value_bytes: int, detail: str, bytes_max: int) -> None:
    """It fits, says why and from where, and holds as much of the value as there is room for, as its header says."""
    value = bytes(n % 251 for n in range(value_bytes))
    made = dead_letter(Rejected(Reason.TOO_LONG, detail), origin={"topic": "t", "offset": 3}, key=key, value=value)
    letter = Outgoing("dlq", 0, made.key, made.value, headers=made.headers)
    cut = shortened(letter, bytes_max)
    size, words = batch_bytes_max(cut), dict(cut.headers)
    assert size <= bytes_max
    assert (words["reason"], words["topic"], words["offset"]) == (b"too_long", b"t", b"3")
    if batch_bytes_max(letter) <= bytes_max:
        assert cut == letter
        return
    assert cut.value == value[: int(words["cut_at_bytes"])]
    if cut.key == key and cut.value:
        assert size > bytes_max - 32
    else:
        assert cut.key in (key, None)
