"""Real links: ordinary ones are not punished."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard

from flatline.domain.events import anchors, pages
from flatline.domain.events.pages import READINGS, PageKind
from flatline.domain.state import link

SAMPLE = Path(__file__).parents[4] / "shared" / "data" / "sample.ndjson.zst"


@pytest.fixture(scope="module")
def events() -> Iterator[list[dict[str, str]]]:
    """Yield real link events, of link lists, newsletters and blogs, in which nobody sold a link."""
    if not SAMPLE.exists():
        pytest.skip(f"{SAMPLE.name} is not there: the real link events are no part of the repository")
    with zstandard.open(SAMPLE, "rt", encoding="utf-8") as lines:
        yield [json.loads(line) for line in lines]


def test_real_anchors_are_natural(events: list[dict[str, str]]) -> None:
    """Of the anchors that people wrote, hardly one looks made for search engines, and few are generic."""
    flags_and_traits = [anchors.flags_and_traits_of(event["anchor"][: anchors.CHARS_READ_MAX]) for event in events]
    assert sum(bool(each & link.STUFFED_ANCHOR) for each in flags_and_traits) <= 0.001 * len(flags_and_traits)
    assert sum(bool(each & link.GENERIC_ANCHOR) for each in flags_and_traits) <= 0.05 * len(flags_and_traits)


def test_real_pages_are_not_taken_for_paid_ones(events: list[dict[str, str]]) -> None:
    """Of pages that are neither, none is taken for a guest post, a directory or sponsored; many stay unknown."""
    urls = {event[end] for event in events for end in ("url_from", "url_to")}
    kinds = Counter(READINGS[pages.place_of(None, url)].kind for url in urls)
    assert kinds[PageKind.GUEST_POST] + kinds[PageKind.DIRECTORY] + kinds[PageKind.SPONSORED] == 0
    assert kinds[PageKind.UNKNOWN] > 0.5 * len(urls)
