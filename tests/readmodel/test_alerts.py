"""Alerts are what the verdicts raised and ended, however the verdicts are read, and keep what people say of them."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from flatline.domain.alerts import alert_id
from flatline.domain.policy.policy import Policy
from flatline.domain.time import DAY_MS, to_datetime, to_ms
from flatline.readmodel.projection import Projection
from flatline.readmodel.queries.alerts import AlertFilter, list_alerts
from flatline.schema import codec
from flatline.schema.alert_mark import AlertKind, AlertMark, ExpectedBecause, Mark
from flatline.schema.verdict import Finding, FindingKind, State, Verdict
from tests.api.histories import verdict_of
from tests.readmodel.places import Place
from tests.readmodel.projecting import NOW_MS, TOPICS, Log, database, dump, projected

ARTICLE = "https://yours.example/a"
_ALERTING = {State.SILENT: AlertKind.SILENT, State.COOLING: AlertKind.COOLING}


def _verdict(days_ago: int, state: State, since_days_ago: int, loss_days_ago: int | None) -> Verdict:
    since = to_datetime(NOW_MS - since_days_ago * DAY_MS)
    lost = [] if loss_days_ago is None else [to_datetime(NOW_MS - loss_days_ago * DAY_MS)]
    said = verdict_of(ARTICLE, state=state, days_ago=days_ago)
    return replace(said, since=since, findings=[Finding(FindingKind.MASS_LOSS, at, "Lost.") for at in lost])


states = st.sampled_from([State.STEADY, State.COOLING, State.SILENT, State.SILENT, State.DORMANT])
histories = st.lists(
    st.tuples(states, st.sampled_from([50, 60]), st.sampled_from([None, None, 40])), min_size=1, max_size=12
).map(lambda said: [_verdict(40 - at, *each) for at, each in enumerate(said)])


def _reference(verdicts: list[Verdict]) -> dict[str, tuple[int, int | None]]:
    """Return by id when each alert was first said and when it ended: alert by alert, not verdict by verdict."""
    spoken = []
    for verdict in verdicts:
        named = {(_ALERTING[verdict.state], to_ms(verdict.since))} if verdict.state in _ALERTING else set()
        spoken.append(named | {(AlertKind.MASS_LOSS, to_ms(found.since)) for found in verdict.findings})
    found = {}
    for kind, since_ms in set().union(*spoken):
        at = [number for number, said in enumerate(spoken) if (kind, since_ms) in said]
        after = at[-1] + 1
        ended_ms = to_ms(verdicts[after].judged_at) if after < len(verdicts) else None
        found[alert_id(ARTICLE, kind, since_ms)] = to_ms(verdicts[at[0]].judged_at), ended_ms
    return found


@pytest.mark.long
@settings(max_examples=60)
@given(verdicts=histories, sizes=st.lists(st.integers(1, 4), max_size=6))
def test_alerts_are_what_the_verdicts_say(place: Place, verdicts: list[Verdict], sizes: list[int]) -> None:
    """In any pieces, also when all is read once more over it, as by a file that has the alerts of another."""
    log = Log()
    for verdict in verdicts:
        log.write(TOPICS.verdicts, codec.verdicts.encode(verdict), key=ARTICLE.encode())
    with place.empty() as made:
        for _ in range(2):
            unread = list(log.batch()[TOPICS.verdicts.name, 0])
            with made.writing() as connection:
                connection.exec_driver_sql("DELETE FROM positions")
            for size in [*sizes, len(verdicts)]:
                piece, unread = unread[:size], unread[size:]
                Projection(made, TOPICS, Policy()).apply({(TOPICS.verdicts.name, 0): piece})
            with made.reading() as connection:
                rows = list_alerts(connection, AlertFilter(), limit=500).rows
            known = {row.id: (to_ms(row.alerted_at), row.ended_at and to_ms(row.ended_at)) for row in rows}
            assert known == _reference(verdicts)


def test_a_mark_stays_with_its_alert(place: Place) -> None:
    """The last one counts, one that is withdrawn is none, and what can't be read changes nothing; filters find them."""
    verdict = _verdict(3, State.SILENT, 5, None)
    since_ms = to_ms(verdict.since)
    key = alert_id(ARTICLE, AlertKind.SILENT, since_ms).encode()

    def mark(said: Mark, because: ExpectedBecause | None = None) -> bytes:
        at = to_datetime(NOW_MS)
        return codec.alert_marks.encode(
            AlertMark(ARTICLE, AlertKind.SILENT, verdict.since, said, at, because=because, by="N\0", note="<b>")
        )

    log = Log()
    log.write(TOPICS.verdicts, codec.verdicts.encode(verdict), key=ARTICLE.encode())
    steps = (
        (mark(Mark.RIGHT), ("right", None)),
        (mark(Mark.EXPECTED, ExpectedBecause.SEASONAL), ("expected", ExpectedBecause.SEASONAL)),
        (b"{", ("expected", ExpectedBecause.SEASONAL)),
        (mark(Mark.EXPECTED), ("expected", ExpectedBecause.SEASONAL)),
        (mark(Mark.WITHDRAWN), (None, None)),
        (mark(Mark.WRONG), ("wrong", None)),
        (None, (None, None)),
    )
    for value, expected in steps:
        log.write(TOPICS.alert_marks, value, key=key)
        log.write(TOPICS.alert_marks, mark(Mark.RIGHT), key=b"\xff another key")
        with place.empty() as made, projected(log, made).reading() as connection:
            [row] = list_alerts(connection, AlertFilter()).rows
            assert (row.mark, row.because) == expected
            for marked in ("right", "expected", "wrong", "none"):
                found = list_alerts(connection, AlertFilter(mark=[marked])).rows
                assert bool(found) == ((expected[0] or "none") == marked)


def test_another_file_has_the_alerts_of_the_one_before(tmp_path: Path) -> None:
    """Verdicts are compacted, so what alerted in the past is in the file alone."""
    from flatline.readmodel.read_models import _carry_history

    log = Log()
    for verdict in (_verdict(3, State.SILENT, 5, None), _verdict(2, State.STEADY, 2, None)):
        log.write(TOPICS.verdicts, codec.verdicts.encode(verdict), key=ARTICLE.encode())
    before, after = projected(log, database(tmp_path, "before")), database(tmp_path, "after")
    _carry_history(before, after)
    assert dump(after)["alerts"] == dump(before)["alerts"] != []
