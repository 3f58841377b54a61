"""What `flatline explain` reads of a changelog into which anybody may have written anything."""

import logging
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flatline.domain.state.article import FORMAT, FORMAT_BYTE, LinkObservation, UnknownFormatError
from flatline.domain.state.moves import Moves
from flatline.domain.visibility.source_history import SourceReport
from flatline.engine.partition import Partition
from flatline.readmodel.article_state import state_of

KEY = b"https://yours.example/a"
T0_MS = 1_780_000_000_000


def _written(links: int) -> list[tuple[bytes, bytes | None]]:
    partition = Partition()
    article = partition.create(KEY, now_ms=T0_MS)
    article.apply([LinkObservation(KEY, n.to_bytes(8), bytes(6), True, T0_MS, 0) for n in range(links)], Counter())
    history = partition.source_history("crawler")
    assert history
    history.observe(SourceReport(1, T0_MS, 5), offset=7)
    partition.note_source_changed("crawler")
    return list(partition.take_changes({"links": (1, 1)}))


keys = st.sampled_from([KEY, KEY + b"\0low", KEY + b"\0" + bytes(8), b"\0", b"\0\xff", b"\0crawler", b"\xff", b""])
# None of the format of another version.
values = st.one_of(
    st.binary(max_size=40).map(FORMAT_BYTE.__add__), st.just(b""), st.binary(max_size=9).map(b"{".__add__)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(keys, values), min_size=1, max_size=4))
def test_any_records_are_skipped_and_said(
    caplog: pytest.LogCaptureFixture, foreign: list[tuple[bytes, bytes | None]]
) -> None:
    """Whatever else is there: nothing is raised, before, between and after what workers wrote."""
    caplog.clear()
    with caplog.at_level(logging.CRITICAL):
        state_of(KEY, [*foreign, *_written(3), *foreign], Moves(), topic="changelog")


@pytest.mark.parametrize("key", [KEY + b"\0low", b"\0other", b"\0\xff"])
def test_the_article_beside_them_is_there(key: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """Its links and its sources are read, and one line says what was left out."""
    stored = state_of(KEY, [*_written(3), (key, b"{}")], Moves(), topic="changelog")
    assert stored.article
    assert stored.article.totals.gained == 3
    assert set(stored.source_histories) == {"crawler"}
    assert [message for message in caplog.messages if "skipped" in message and "changelog" in message]


def test_what_was_overwritten_with_nonsense_is_what_it_was() -> None:
    """As for workers: what is no state changes nothing."""
    stored = state_of(KEY, [*_written(3), (KEY, b"nonsense")], Moves(), topic="changelog")
    assert stored.article
    assert stored.article.totals.gained == 3


def test_state_of_another_version_is_refused() -> None:
    """Half of it would be a wrong answer."""
    with pytest.raises(UnknownFormatError, match="reads only format"):
        state_of(KEY, [(KEY, bytes([FORMAT + 1]))], Moves(), topic="changelog")
