"""The demo's clock goes no faster than everything that it leads can keep up with."""

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from flatline.demo.watermark import Mark, Watermark


class Stage:
    """One that lets pass what it was told to."""

    waits_for = "its turn"

    def __init__(self) -> None:
        self.may_pass_ms = -1
        self.is_down = False

    def look(self) -> None:
        """Answer, unless it is down."""
        if self.is_down:
            raise OSError

    def has_passed(self, mark: Mark, entered_s: float) -> bool:
        """Whether it was told so of this mark."""
        assert entered_s > 0
        return mark.at_ms <= self.may_pass_ms


class Told(NamedTuple):
    """What one stage is told."""

    stage: int
    may_pass_ms: int
    is_down: bool


@given(st.lists(st.builds(Told, st.integers(0, 2), st.integers(0, 40), st.booleans()), min_size=1, max_size=60))
def test_a_mark_passes_a_stage_after_all_before_it(tellings: list[Told]) -> None:
    """However fast and however reliable each stage is: nothing has passed one that an earlier one holds."""
    stages = [Stage() for _ in range(3)]
    watermark = Watermark(stages, Mark(-1, -1, {}, frozenset()))
    for at_ms, told in enumerate(tellings):
        watermark.add(Mark(at_ms, at_ms, {}, frozenset()))
        stages[told.stage].may_pass_ms, stages[told.stage].is_down = told.may_pass_ms, told.is_down
        before = [mark.at_ms for mark in watermark.passed]
        watermark.advance()
        passed = [mark.at_ms for mark in watermark.passed]
        assert passed == sorted(passed, reverse=True)
        for stage, at_last, at_first in zip(stages, passed, before, strict=True):
            assert at_last == at_first or (not stage.is_down and at_first < at_last <= stage.may_pass_ms)
    for stage in stages:
        stage.may_pass_ms, stage.is_down = len(tellings), False
    watermark.advance()
    assert {mark.at_ms for mark in watermark.passed} == {len(tellings) - 1}
    assert watermark.waits_for == "nothing"
