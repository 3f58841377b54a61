"""Every kind of connector in the registry keeps to the contract, and connectors that don't are found out."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from flatline_connectors.runtime.registry import KINDS
from tests.connectors.runtime import contract
from tests.connectors.runtime.broken import BROKEN
from tests.connectors.runtime.contract import CHECKS, MakeWorld, World
from tests.connectors.runtime.worlds import WORLDS


def maker(make: Callable[[Path], World], folder: Path) -> MakeWorld:
    """Return what makes worlds in folders of their own."""
    numbers = itertools.count()

    def fresh() -> World:
        own = folder / str(next(numbers))
        own.mkdir()
        return make(own)

    return fresh


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_keeps_to_the_contract(kind: str, check: Callable[[MakeWorld], None], tmp_path: Path) -> None:
    """A kind that is registered without a world fails here."""
    assert KINDS[kind] is WORLDS[kind](tmp_path).kind
    check(maker(WORLDS[kind], tmp_path))


@pytest.mark.parametrize(("broken", "check"), BROKEN, ids=lambda each: each.__name__)
def test_what_is_broken_is_found_out(
    broken: Callable[[Path], World], check: Callable[[MakeWorld], None], tmp_path: Path
) -> None:
    """Each of these is like a connector that is right, but for one mistake: the check for that must fail."""
    with pytest.raises(AssertionError):
        check(maker(broken, tmp_path))


def test_each_check_finds_something_broken() -> None:
    """A check that nothing broken fails could be one that never fails."""
    assert {check for _, check in BROKEN} == set(CHECKS)


def test_the_model_of_the_broken_ones_is_right(tmp_path: Path) -> None:
    """Without a mistake it passes all checks."""
    from tests.connectors.runtime.broken import Right

    for check in contract.CHECKS:
        (folder := tmp_path / check.__name__).mkdir()
        check(maker(Right, folder))
