"""Alerts have an id that everybody computes alike, and marks take articles out of the judgement and back."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.alerts import Retirements, alert_id, read_mark
from flatline.domain.time import to_datetime
from flatline.schema import codec
from flatline.schema.alert_mark import AlertKind, AlertMark, ExpectedBecause, Mark
from flatline.schema.rejection import Rejected

NOW_MS = 1_790_000_000_000
ARTICLES = ("https://yours.example/a", "https://yours.example/b")


def _mark(article: str, day: int, said: str, *, at_ms: int = NOW_MS) -> AlertMark:
    mark, _, because = said.partition("/")
    return AlertMark(
        article,
        AlertKind.SILENT,
        to_datetime(day * 86_400_000),
        Mark(mark),
        to_datetime(at_ms),
        because=ExpectedBecause(because) if because else None,
    )


def _record(mark: AlertMark) -> tuple[bytes, bytes]:
    return alert_id(mark.subject, mark.kind, int(mark.since.timestamp()) * 1_000).encode(), codec.alert_marks.encode(
        mark
    )


def test_the_id_is_as_the_contract_says() -> None:
    """Kind, instant in ms and subject, each on a line, hashed: 32 digits of it."""
    said = hashlib.sha256("silent\n1767139200000\nhttps://yours.example/ä".encode()).hexdigest()[:32]
    assert alert_id("https://yours.example/ä", AlertKind.SILENT, 1_767_139_200_000) == said


marks = st.tuples(
    st.sampled_from(ARTICLES),
    st.sampled_from([1, 2]),
    st.sampled_from(["right", "wrong", "withdrawn", "expected/retired", "expected/retired", "expected/moved", "none"]),
)


@given(st.lists(marks, max_size=12))
def test_the_last_mark_of_each_alert_holds(said: list[tuple[str, int, str]]) -> None:
    """An article is retired if the last record of one of its alerts says so; compaction changes nothing of that."""
    last = {(article, day): mark for article, day, mark in said}
    retired = {article for (article, _), mark in last.items() if mark == "expected/retired"}
    for records in (said, [(article, day, mark) for (article, day), mark in last.items()]):
        known = Retirements()
        for article, day, mark in records:
            key, value = _record(_mark(article, day, "right" if mark == "none" else mark))
            known.receive_record(key, None if mark == "none" else value, NOW_MS)
        assert {article for article in ARTICLES if known.retired_ms(article.encode()) is not None} == retired
        assert retired <= {key.decode() for key in known.log}


def test_a_retirement_is_not_later_than_its_record() -> None:
    """A clock that was ahead does not date what is said of an article into the future."""
    known = Retirements()
    known.receive_record(*_record(_mark(ARTICLES[0], 1, "expected/retired", at_ms=NOW_MS + 10**9)), NOW_MS)
    assert known.retired_ms(ARTICLES[0].encode()) == NOW_MS


def test_a_record_under_another_key_is_none_of_that_alert() -> None:
    """The key is what compaction goes by: a mark under another one would outlive the next."""
    _, value = _record(_mark(ARTICLES[0], 1, "right"))
    with pytest.raises(Rejected, match="the key is not the id"):
        read_mark(b"0" * 32, value)
