"""How right alerts were equals a count from the events: what was said, and whether links came after it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from flatline.domain.alerts import alert_id
from flatline.domain.time import DAY_MS, to_datetime, to_ms
from flatline.readmodel.queries.precision import measured_precision
from flatline.schema import codec
from flatline.schema.alert_mark import AlertKind, AlertMark, ExpectedBecause, Mark
from flatline.schema.link_event import LinkEvent
from flatline.schema.verdict import State
from tests.api.histories import verdict_of
from tests.readmodel.places import Place
from tests.readmodel.projecting import NOW_MS, TOPICS, Log, projected

ARTICLES = [f"https://yours.example/{name}" for name in "abc"]

said = st.tuples(
    st.sampled_from(ARTICLES),
    st.sampled_from([400, 300, 181, 180, 179, 10]),
    st.sampled_from([State.SILENT, State.SILENT, State.COOLING]),
    st.sampled_from([None, 0.6, 0.9]),
)
links = st.tuples(
    st.sampled_from(ARTICLES), st.integers(0, 420), st.sampled_from(["link_found", "link_found", "import"])
)
marks = st.sampled_from(["right", "expected", "wrong", "withdrawn", None])


@pytest.mark.long
@settings(max_examples=40)
@given(
    spoken=st.lists(said, max_size=6, unique_by=lambda each: each[:2]),
    found=st.lists(links, max_size=8),
    marked=st.lists(marks),
)
def test_it_is_what_the_events_say(
    place: Place,
    spoken: list[tuple[str, int, State, float | None]],
    found: list[tuple[str, int, str]],
    marked: list[str | None],
) -> None:
    """Alerts are counted once their 180 days are over; imported links are no sign of life; withdrawn marks are none."""
    log, gained = Log(), list[tuple[str, int]]()
    for number, (article, days, discovery) in enumerate(found):
        at = to_datetime(NOW_MS - days * DAY_MS - 1)
        log.say(LinkEvent(f"https://site{number}.example/", article, occurred_at=at, discovery=discovery))
        if discovery == "link_found":
            gained.append((article, days))
    decided, came_true, probabilities, counts = 0, 0, list[float](), dict.fromkeys(("right", "expected", "wrong"), 0)
    for number, (article, days, state, probability) in enumerate(sorted(spoken, key=lambda each: -each[1])):
        verdict = replace(verdict_of(article, state=state, days_ago=days), probability=probability)
        log.write(TOPICS.verdicts, codec.verdicts.encode(verdict), key=article.encode())
        after = to_datetime(NOW_MS - days * DAY_MS + 1)
        steady = replace(verdict_of(article, state=State.STEADY, days_ago=days), judged_at=after)
        log.write(TOPICS.verdicts, codec.verdicts.encode(steady), key=article.encode())
        if state is State.SILENT and probability is not None and days >= 180:
            decided += 1
            probabilities.append(probability)
            came_true += not any(who == article and days - 180 <= day < days for who, day in gained)
        mark = marked[number] if number < len(marked) else None
        if mark is not None:
            kind = AlertKind(state.value)
            key = alert_id(article, kind, to_ms(verdict.since)).encode()
            because = ExpectedBecause.SEASONAL if mark == "expected" else None
            record = AlertMark(article, kind, verdict.since, Mark(mark), to_datetime(NOW_MS), because=because)
            log.write(TOPICS.alert_marks, codec.alert_marks.encode(record), key=key)
            counts[mark] = counts.get(mark, 0) + 1
    with place.empty() as made, projected(log, made).reading() as connection:
        measured = measured_precision(connection, now_ms=NOW_MS)
    assert (measured.decided, measured.came_true) == (decided, came_true)
    assert measured.said_mean == (pytest.approx(sum(probabilities) / decided) if decided else None)
    assert (measured.right, measured.expected, measured.wrong) == (counts["right"], counts["expected"], counts["wrong"])
