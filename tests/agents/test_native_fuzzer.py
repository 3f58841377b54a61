"""The fuzzer of the native core finds what a core reads in another way, and nothing in the one that is built."""

from collections.abc import Callable
from types import ModuleType

import pytest

from flatline.agents.read_links import ReadLinks
from flatline.core import Core, native_core, why_not_native
from tests.agents.lone_worker import Read
from tests.agents.native_fuzzer import fuzz

pytestmark = pytest.mark.skipif(bool(why_not_native()), reason=why_not_native())


def _core() -> ModuleType:
    core = native_core(Core.NATIVE)
    assert core is not None
    return core


def _core_that_takes(one: bytes, other: bytes) -> ModuleType:
    """Return a core that reads some bytes as if they were others."""

    class LinkReader:
        def __init__(self, *arguments: object) -> None:
            self._right = _core().LinkReader(*arguments)

        def read(self, records: list[Read], at: int, partition: int, said: ReadLinks) -> int:
            taken = [each._replace(value=(each.value or b"").replace(one, other)) for each in records]
            read: Callable[..., int] = self._right.read
            return read(taken, at, partition, said)

    wrong = ModuleType("wrong")
    wrong.LinkReader = LinkReader  # type: ignore[attr-defined]
    return wrong


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(b",}", b"}", id="a comma at the end of an object"),
        pytest.param(b"\t", b" ", id="a tab within a text"),
        pytest.param(b"\xc3", b"?", id="half a character"),
        pytest.param(rb"\ud83d", b"?", id="half a pair of surrogates"),
        pytest.param(b"T24:00:00", b"T00:00:00", id="an hour too many"),
    ],
)
def test_it_finds_what_is_read_in_another_way(one: bytes, other: bytes) -> None:
    """Of a core that takes what is no JSON, no text or no time, it shows one such record."""
    found = fuzz(_core_that_takes(one, other), range(200), seed=1)
    assert len(found.different) == 1
    assert one in found.different[0]


def test_it_finds_nothing_in_the_core() -> None:
    """It counts what it compared, and from the same seed it compares the same again."""
    found = fuzz(_core(), range(10), seed=1)
    assert not found.different
    assert 0 < found.natively < found.records == 2_000
    assert fuzz(_core(), range(10), seed=1) == found
