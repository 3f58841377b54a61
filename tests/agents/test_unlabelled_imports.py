"""Imports without a label, whose links are spread over partitions and workers: recognised, whatever happens when."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.time import DAY_MS, to_datetime
from flatline.schema.partitioning import partition_of
from tests.agents.fleet import PARTITIONS, Fleet, Place
from tests.agents.fleet_rebuild import Rebuild, rebuilt
from tests.examples import examples

TODAY_MS: Final = 19_700 * DAY_MS
NOW_MS: Final = TODAY_MS + DAY_MS // 2
MOMENTS_MS: Final = (TODAY_MS, TODAY_MS + 3_600_001, TODAY_MS + 7_200_000)
"""The first one is midnight: a date without a time."""
ARTICLES: Final = [f"https://yours.example/{number}" for number in range(10)]
LINKS_MIN, PAGES_MIN = 50, 8


class Gain(NamedTuple):
    """A link event."""

    source: str
    at_ms: int
    article: str
    page: int
    is_labelled: bool = False


class Signs(NamedTuple):
    """Links of an article, and how many of them are signs of life."""

    gained: int
    of_life: int


def collection(source: str, at_ms: int, *, links: int, pages: int, is_labelled: bool = False) -> list[Gain]:
    """Return so many links at one moment, all over the articles."""
    return [
        Gain(source, at_ms, ARTICLES[number // pages % len(ARTICLES)], number % pages, is_labelled)
        for number in range(min(links, pages * len(ARTICLES)))
    ]


collections = st.builds(
    collection,
    st.sampled_from(["git:one", "git:two"]),
    st.sampled_from(MOMENTS_MS),
    links=st.sampled_from([1, 3, 40, 49, 50, 51, 70]),
    pages=st.sampled_from([7, 8, 9]),
    is_labelled=st.sampled_from([False, False, False, True]),
)


def expected(gains: Iterable[Gain]) -> dict[str, Signs]:
    """Return what the set of events says, counted without any state."""
    gains = set(gains)
    labelling = {each.source for each in gains if each.is_labelled}
    links, pages = defaultdict(set), defaultdict(set)
    for each in gains:
        if not each.is_labelled and each.at_ms % DAY_MS:
            links[each.source, each.at_ms].add((each.article, each.page))
            pages[each.source, each.at_ms].add(each.page)
    imports = {
        moment
        for moment in links
        if len(links[moment]) >= LINKS_MIN and len(pages[moment]) >= PAGES_MIN and moment[0] not in labelling
    }
    found = {}
    for article in {each.article for each in gains}:
        own = [each for each in gains if each.article == article]
        # A link does not say who reported it: what any of its article's sources imported at its instant counts.
        imported_ms = {at_ms for source, at_ms in imports if source in {each.source for each in own}}
        first_ms = {page: min(each.at_ms for each in own if each.page == page) for page in {each.page for each in own}}
        of_life = {
            each.page
            for each in own
            if each.at_ms == first_ms[each.page] and not each.is_labelled and each.at_ms not in imported_ms
        }
        found[article] = Signs(len(first_ms), len(of_life))
    return found


def send(fleet: Fleet, gain: Gain) -> None:
    """Write its record."""
    event: dict[str, object] = {
        "url_from": f"https://page{gain.page}.example/",
        "url_to": gain.article,
        "occurred_at": to_datetime(gain.at_ms),
        "source": gain.source,
    }
    if gain.is_labelled:
        event["discovery"] = "import"
    place = Place(fleet.topics.links.name, partition_of(gain.article.encode(), PARTITIONS))
    fleet.produce(place, None, msgspec.json.encode(event), recorded_ms=NOW_MS)


def shown(fleet: Fleet) -> dict[str, Signs]:
    """Return what the verdicts say."""
    return {url: Signs(said.gained_total, said.gained_in_days.last_7) for url, said in fleet.verdicts().items()}


async def step(fleet: Fleet, data: st.DataObject) -> None:
    """Have one of the things happen that workers do, or suffer."""
    partition = data.draw(st.integers(0, PARTITIONS - 1))
    match data.draw(st.sampled_from(("deliver", "receive", "commit", "write", "crash", "settle"))):
        case "deliver":
            fleet.deliver(fleet.topics.links.name, partition, data.draw(st.integers(1, 60)))
        case "receive":
            fleet.hear_imports(partition % 2, data.draw(st.integers(1, 3)))
        case "commit":
            await fleet.commit(partition)
        case "write":
            await fleet.commit(partition, is_judging=False)
        case "crash":
            await fleet.crash(partition % 2)
        case "settle":
            await fleet.settle()


async def play(sent: list[list[Gain]], data: st.DataObject) -> dict[str, Signs]:
    """Send the collections in pieces, some twice, while workers do what they do and rebuilds are made and killed."""
    fleet = Fleet(now_ms=NOW_MS)
    await fleet.start()
    rebuild: Rebuild | None = None
    gains = [each for every in sent for each in every]
    if data.draw(st.booleans()):
        gains = data.draw(st.permutations(gains))
    pieces = [gains[at : at + 25] for at in range(0, len(gains), 25)]
    for piece in [*pieces, *data.draw(st.lists(st.sampled_from(pieces), max_size=2))]:
        for each in piece:
            send(fleet, each)
        for _ in range(data.draw(st.integers(0, 4))):
            if data.draw(st.integers(0, 9)):
                await step(fleet, data)
                continue
            rebuild = rebuild or Rebuild(fleet)
            if await rebuild.run(steps=data.draw(st.integers(0, 200))):
                rebuild = None
    if rebuild is not None:
        await rebuild.run()
    await fleet.settle()
    return shown(fleet)


@examples(100)
@given(st.lists(collections, min_size=1, max_size=4), st.data())
def test_the_end_is_a_function_of_the_set_of_events(sent: list[list[Gain]], data: st.DataObject) -> None:
    """In any order, with crashes and rebuilds: at rest, what was imported at a moment is no sign of life."""
    assert asyncio.run(play(sent, data)) == expected(each for every in sent for each in every)


@pytest.mark.parametrize(
    ("gains", "is_import"),
    [
        (collection("git:one", MOMENTS_MS[1], links=50, pages=8), True),
        (collection("git:one", MOMENTS_MS[1], links=49, pages=8), False),
        (collection("git:one", MOMENTS_MS[1], links=70, pages=7), False),
        (collection("git:one", MOMENTS_MS[0], links=70, pages=9), False),
    ],
    ids=["enough", "too few links", "too few pages", "a date without a time"],
)
def test_links_counted_before_are_taken_back(gains: list[Gain], *, is_import: bool) -> None:
    """Each link is a sign of life until enough have come, at the edges of the rule."""

    async def signs() -> list[int]:
        fleet = Fleet(now_ms=NOW_MS)
        await fleet.start()
        counts = []
        for each in gains:
            send(fleet, each)
            if each is gains[-1] or (len(counts) < 1 and each is gains[40]):
                await fleet.settle()
                counts.append(sum(signs.of_life for signs in shown(fleet).values()))
        return counts

    assert asyncio.run(signs()) == [41, 0 if is_import else len(gains)]


def test_a_rebuild_from_nothing_but_the_log_finds_the_same_imports() -> None:
    """As after an update: what was reported before anybody recognised imports is recognised."""
    gains = [*collection("git:one", MOMENTS_MS[1], links=70, pages=9), Gain("git:two", MOMENTS_MS[2], ARTICLES[0], 99)]

    async def after() -> dict[str, Signs]:
        fleet = Fleet(now_ms=NOW_MS)
        await fleet.start()
        for each in gains:
            send(fleet, each)
        await fleet.settle()
        for topic in (fleet.topics.imports, fleet.topics.import_parts):
            fleet.log[Place(topic.name, 0)].clear()
        await rebuilt(fleet)
        await fleet.settle()
        return shown(fleet)

    assert asyncio.run(after()) == expected(gains)


def test_what_was_counted_before_a_crash_counts_after_it() -> None:
    """Half of an import is too little for any partition to publish: only its own changelog knows of it."""
    gains = collection("git:one", MOMENTS_MS[1], links=51, pages=9)

    async def after() -> dict[str, Signs]:
        fleet = Fleet(now_ms=NOW_MS)
        await fleet.start()
        for half in (gains[:26], gains[26:]):
            for each in half:
                send(fleet, each)
            await fleet.settle()
            if half[0] is gains[0]:
                assert not fleet.log[Place(fleet.topics.import_parts.name, 0)]
            for worker in (0, 1):
                await fleet.crash(worker)
        await fleet.settle()
        return shown(fleet)

    assert asyncio.run(after()) == expected(gains)
