"""Long work in turns."""

import asyncio

import pytest

from flatline.engine import turns as turns_module
from flatline.engine.turns import TURN_S, Turns


async def test_pauses_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What others do between two turns takes nothing of a budget."""
    now_s = [0.0]
    monkeypatch.setattr(turns_module, "monotonic", lambda: now_s[0])

    async def other() -> None:
        now_s[0] += 100.0

    turns = Turns()
    now_s[0] += TURN_S / 2
    assert not turns.is_over
    now_s[0] += TURN_S
    assert turns.is_over
    asyncio.get_running_loop().create_task(other())
    await turns.next()
    assert now_s[0] > 100.0
    assert not turns.is_over
    assert turns.spent_s == pytest.approx(1.5 * TURN_S)
