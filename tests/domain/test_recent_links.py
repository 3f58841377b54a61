"""The newest links of a partition: what they hold is bounded, and what is written is what is known."""

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.imports import recent_links
from flatline.domain.imports.moments import Moment
from flatline.domain.imports.recent_links import BLOCK_LINKS, BLOCKS, RecentLinks
from tests.examples import examples

_Link = tuple[str, int, bytes, bytes]  # source, instant, article, page

LINKS_KEPT_MIN = (BLOCKS - 1) * BLOCK_LINKS
_links = st.tuples(
    st.sampled_from(["git:one", "git:two"]),
    st.integers(1, 3),
    st.integers(0, 4).map(lambda number: b"https://yours.example/%d" % number),
    st.integers(0, 40).map(lambda page: page.to_bytes(8)),
)


def known(recent: RecentLinks, moments: set[Moment]) -> dict[Moment, set[_Link]]:
    """Return what is known of moments."""
    return {moment: set(recent.links(moment)) for moment in moments}


@examples(100)
@given(st.lists(st.lists(_links, max_size=150), max_size=6), st.data())
def test_a_takeover_knows_what_was_written(batches: list[list[_Link]], data: st.DataObject) -> None:
    """With few blocks, so that they come round: after each commit the changelog, old records included, says it all."""
    kept, recent_links.BLOCKS = recent_links.BLOCKS, 4
    try:
        recent, written = RecentLinks(), []
        for batch in batches:
            recent.add(batch)
            if data.draw(st.booleans()):
                written += list(recent.take_changes())
        written += list(recent.take_changes())
        assert {place for place, _ in written} <= set(range(4))
        restored = RecentLinks()
        for place, block in written:
            restored.restore(place, block)
        restored.begin()
        moments = {(source, at_ms) for batch in batches for source, at_ms, *_ in batch}
        assert known(restored, moments) == known(recent, moments)
        assert sum(map(len, known(recent, moments).values())) <= 4 * BLOCK_LINKS
        restored.add([("git:one", 9, b"https://yours.example/", b"another.")])
        assert len(list(restored.take_changes())) == 1
    finally:
        recent_links.BLOCKS = kept


def test_a_crawler_with_a_link_an_instant_takes_no_more_room() -> None:
    """A hundred thousand moments: the newest are known, and each place is written once."""
    recent = RecentLinks()
    recent.add(("crawler", at_ms, b"https://yours.example/", at_ms.to_bytes(8)) for at_ms in range(1, 100_001))
    assert sum(("crawler", at_ms) in recent for at_ms in range(1, 100_001)) <= BLOCKS * BLOCK_LINKS
    assert all(("crawler", at_ms) in recent for at_ms in range(100_001 - LINKS_KEPT_MIN, 100_001))
    places = [place for place, _ in recent.take_changes()]
    assert len(places) == len(set(places)) == BLOCKS


def test_what_was_published_is_not_published_again() -> None:
    """More than the rule asks for is not more; a single link on another page is."""
    recent, moment = RecentLinks(), ("git:one", 1)
    pages = iter(number.to_bytes(8) for number in range(1_000))
    grown = []
    for links in (6, 1, 0, 1, 50, 10):
        recent.add([(*moment, b"https://yours.example/", page) for page in islice(pages, links)])
        grown.append(recent.grown(moment, links_min=7))
    assert grown == [False, True, False, True, True, False]
