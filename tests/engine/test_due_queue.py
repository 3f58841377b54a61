"""What is due, what was judged, and up to where verdicts hold everything."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flatline.domain.time import DAY_MS
from flatline.engine import due_queue
from flatline.engine.due_queue import DueQueue
from flatline.schema.verdict import State
from tests.domain.judgement.test_watch_list import watched

KEYS = [b"https://yours.example/%d" % number for number in range(8)]
NOW_MS = 1_780_000_000_000
VERDICT = watched("a", State.STEADY).verdict


class Counted(dict[bytes, int]):
    """A dict that counts what is read of it."""

    reads = 0

    def items(self):  # type: ignore[no-untyped-def, override]  # noqa: ANN201, D102
        for entry in super().items():
            self.reads += 1
            yield entry


def test_what_is_asked_for_is_all_that_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are due: a commit's cost doesn't grow with what waits for later ones."""
    monkeypatch.setattr(due_queue, "JUDGED_AT_ONCE_MAX", 10)
    due = DueQueue([b"%d" % number for number in range(5_000)], may_have_changed=False)
    due._due_ms = Counted(due._due_ms)
    assert due.due(NOW_MS) == [b"%d" % number for number in range(10)]
    assert due._due_ms.reads <= 11


def test_changed_ones_come_first_and_all_others_once_a_day() -> None:
    """In the order in which they changed, then in that of judging."""
    due = DueQueue(KEYS[:4], may_have_changed=False)
    due.change([KEYS[6], KEYS[2]], {})
    assert due.due(NOW_MS) == [KEYS[6], KEYS[2], KEYS[0], KEYS[1], KEYS[3]]
    for key in due.due(NOW_MS):
        due.judged(key, VERDICT, next_ms=NOW_MS + DAY_MS)
    assert due.due(NOW_MS + DAY_MS - 1) == []
    assert due.due(NOW_MS + DAY_MS) == [KEYS[6], KEYS[2], KEYS[0], KEYS[1], KEYS[3]]


def test_a_clock_that_was_far_ahead_blocks_nobody() -> None:
    """What was judged then is due, and so is everything behind it; no round ends on account of it."""
    due = DueQueue(KEYS[:2], may_have_changed=False)
    due.judged(KEYS[0], VERDICT, next_ms=NOW_MS + 900 * DAY_MS)
    due.judged(KEYS[1], VERDICT, next_ms=NOW_MS - 5)
    assert due.due(NOW_MS) == KEYS[:2]
    assert not due.all_judged_since(NOW_MS - DAY_MS, now_ms=NOW_MS)


def test_an_article_that_is_no_more_leaves_nothing() -> None:
    """Neither in the queue nor in the tally."""
    due = DueQueue(KEYS[:1])
    due.judged(KEYS[0], VERDICT, next_ms=NOW_MS)
    due.change(KEYS[:1], {})
    due.forget(KEYS[0])
    assert (due.due(NOW_MS + DAY_MS), +due.tally) == ([], {})


steps = st.one_of(
    st.tuples(st.just("change"), st.sets(st.sampled_from(KEYS))),
    st.tuples(st.just("judge"), st.integers(1, 4)),
)


@settings(deadline=None)
@given(st.booleans(), st.lists(steps, max_size=60))
def test_verdicts_hold_everything_before_the_judged_position(may_have_changed: bool, walk: list[tuple]) -> None:
    """For each record: once the position is behind it, the article that it changed was judged after it came."""
    due = DueQueue(KEYS[:3], judged_positions={"links": 0}, may_have_changed=may_have_changed)
    offset = 1
    unjudged = dict.fromkeys(KEYS[:3], 0) if may_have_changed else {}  # oldest record that no verdict holds
    for step, argument in walk:
        if step == "change":
            for key in sorted(argument):
                unjudged.setdefault(key, offset)
                offset += 1
            due.change(sorted(argument), {"links": offset})
        else:
            for key in due.due(NOW_MS)[:argument]:
                due.judged(key, VERDICT, next_ms=NOW_MS + DAY_MS)
                unjudged.pop(key, None)
            due.pass_ended(NOW_MS)
        assert due.judged_positions["links"] <= min(unjudged.values(), default=offset)
    for key in due.due(NOW_MS):
        due.judged(key, VERDICT, next_ms=NOW_MS + DAY_MS)
    due.change([], {"links": offset})
    assert due.judged_positions == {"links": offset}
