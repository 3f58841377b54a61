"""Links, visits, moves, undos, registrations, removals, site records, in any order, with crashes: one end state."""

import asyncio
from collections.abc import Container, Iterable
from itertools import count
from typing import Final, NamedTuple

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.time import to_datetime
from flatline.schema.partitioning import partition_of
from tests.agents.fleet import PARTITIONS, Fleet, Place
from tests.examples import examples

BEGIN_MS: Final = 1_700_000_000_000
NOW_MS: Final = BEGIN_MS + 86_400_000
HOSTS: Final = ("https://old.example", "https://new.example", "https://third.example")
URLS: Final = [f"{host}{path}" for host in HOSTS for path in ("/a", "/a?promo=1", "/b/c")]
SPELLINGS: Final = ("{}", "{}/", "{}?utm_source=x", "{}#top")
SPELLINGS_OF_QUERY: Final = ("{}", "{}&", "{}&utm_source=x", "{}#top")


class Link(NamedTuple):
    """A link event: of which page, to which address."""

    page: int
    url: str
    at: int
    is_gain: bool


class Move(NamedTuple):
    """A decision about a pair of addresses; ``at`` is of it alone."""

    old: str
    new: str
    at: int
    is_undone: bool


class Registration(NamedTuple):
    """An article record; ``at`` is of it alone, and its title says so."""

    url: str
    aliases: tuple[str, ...]
    at: int


class Removal(NamedTuple):
    """An article is removed."""

    url: str
    at: int


class SiteRecord(NamedTuple):
    """A site says that it ignores a parameter. Of several records of a site the last one counts: there is only one."""

    host: str
    at: int = 0


Event = Link | Move | Registration | Removal | SiteRecord

_pairs = st.sampled_from(
    [(f"{old}{end}", f"{new}{end}") for old in HOSTS for new in HOSTS if old != new for end in ("/*", "/a", "/b/*")]
)
_times = st.integers(1, 12)
events = st.lists(
    st.one_of(
        st.builds(Link, st.integers(0, 3), st.sampled_from(URLS), _times, st.sampled_from([True, True, False])),
        st.builds(lambda pair, undone: Move(*pair, 0, undone), _pairs, st.booleans()),
        st.builds(
            Registration,
            st.sampled_from(URLS),
            st.lists(st.sampled_from(URLS), max_size=2, unique=True).map(lambda each: tuple(sorted(each))),
            st.just(0),
        ),
        st.builds(Removal, st.sampled_from(URLS), _times),
        st.builds(SiteRecord, st.sampled_from(HOSTS)),
    ),
    min_size=1,
    max_size=24,
)


class Shown(NamedTuple):
    """What a verdict must say."""

    gained: int
    lost: int
    live: int
    title: str | None


def _following(url: str, move: tuple[str, str]) -> str | None:
    """Where a move leads an address, by text alone."""
    old, new = move
    if not old.endswith("/*"):
        return new if url == old else None
    below = old.removesuffix("*")
    return new.removesuffix("*") + url.removeprefix(below) if url.startswith(below) else None


def _step(at: str, holding: dict[tuple[str, str], int], ignoring: Container[str]) -> tuple[int, str] | None:
    """Return the time of the move that holds for an address, and where it leads."""
    leading = [pair for pair in holding if _following(at, pair) is not None]
    if not leading:
        host, without = "/".join(at.split("/")[:3]), at.removesuffix("?promo=1")
        return (NOW_MS, without) if host in ignoring and without != at else None
    best = max(leading, key=lambda pair: (not pair[0].endswith("*"), len(pair[0]), holding[pair]))
    return holding[best], _following(at, best) or ""


def _end(url: str, holding: dict[tuple[str, str], int], ignoring: Container[str]) -> str:
    """Follow moves, given by their pair and time, longer than there are addresses; then look round the circle."""
    at = url
    for _ in range(100):
        step = _step(at, holding, ignoring)
        if step is None:
            return at
        _, at = step
    circle: dict[str, int] = {}
    while at not in circle:
        circle[at], at = _step(at, holding, ignoring) or (0, "")
    # A rule for a prefix may be in it twice: of two steps of the same time, that from the address that comes first.
    return min(circle, key=lambda address: (circle[address], address))


def expected(events: Iterable[Event], *, links_bring_back: bool) -> dict[str, Shown]:
    """Return what the set of events says, counted without any state."""
    events = list(events)
    registrations: dict[str, Registration] = {}
    for each in sorted((e for e in events if isinstance(e, Registration)), key=lambda e: e.at):
        registrations[each.url] = each
    decided: dict[tuple[str, str], Move] = {}
    for move in sorted((e for e in events if isinstance(e, Move)), key=lambda e: e.at):
        decided[move.old, move.new] = move
    holding = {pair: move.at for pair, move in decided.items() if not move.is_undone}
    for url, each in registrations.items():
        for alias in each.aliases:
            if alias != url:
                holding[alias, url] = max(each.at, holding.get((alias, url), 0))
    ignoring = {each.host for each in events if isinstance(each, SiteRecord)}
    found: dict[str, Shown] = {}
    for article in {_end(url, holding, ignoring) for url in URLS}:
        former = [url for url in {*URLS, article} if _end(url, holding, ignoring) == article]
        removed = max((e.at for e in events if isinstance(e, Removal) and e.url in former), default=0)
        links = [e for e in events if isinstance(e, Link) and e.url in former]
        gained = {
            page: first
            for page in {e.page for e in links}
            if (first := min((e.at for e in links if e.page == page and e.is_gain), default=0)) > removed
        }
        lost = {page for page in gained if any(e.page == page and not e.is_gain for e in links)}
        live = {page for page in gained if max((e.at, e.is_gain) for e in links if e.page == page)[1]}
        registered = [e for url, e in registrations.items() if url in former and e.at > removed]
        newest = max(registered, key=lambda e: e.at, default=None)
        if newest or (links and not removed) or (removed and links_bring_back and gained):
            title = None if newest is None else f"title {newest.at}"
            found[article] = Shown(len(gained), len(lost), len(live), title)
    return found


def dated(events: list[Event]) -> list[Event]:
    """Give decisions and registrations times of their own: of two of the same instant nobody could say what holds."""
    times = count(1)
    return [e._replace(at=next(times)) if isinstance(e, Move | Registration) else e for e in events]


def send(fleet: Fleet, event: Event, *, spelling: int, anywhere: int) -> None:
    """Write the record of an event, perhaps in another spelling, or to another partition than that of its article."""
    recorded_ms = BEGIN_MS + event.at
    if isinstance(event, Move):
        value: object = {"old": event.old, "new": event.new, "is_undone": event.is_undone}
        record = {**value, "decided_at": to_datetime(recorded_ms)}  # type: ignore[dict-item]
        place, key = Place(fleet.topics.moves.name, 0), f"{event.old} {event.new}".encode()
        fleet.produce(place, key, msgspec.json.encode(record), recorded_ms=recorded_ms)
        return
    if isinstance(event, SiteRecord):
        host = event.host.removeprefix("https://")
        site = msgspec.json.encode({"domain": host, "ignored_parameters": ["PROMO"]})
        fleet.produce(Place(fleet.topics.sites.name, 0), host.encode(), site, recorded_ms=recorded_ms)
        return
    spelled = (SPELLINGS_OF_QUERY if "?" in event.url else SPELLINGS)[spelling].format(event.url)
    here = anywhere if anywhere < PARTITIONS else partition_of(event.url.encode(), PARTITIONS)
    if isinstance(event, Removal):
        fleet.produce(Place(fleet.topics.articles.name, here), spelled.encode(), None, recorded_ms=recorded_ms)
        return
    if isinstance(event, Link):
        topic = fleet.topics.links.name
        record = {
            "url_from": f"https://page{event.page}.example/",
            "url_to": spelled,
            "change": "gained" if event.is_gain else "lost",
        }
    else:
        topic = fleet.topics.articles.name
        record = {"url": spelled, "aliases": list(event.aliases), "title": f"title {event.at}"}
    fleet.produce(Place(topic, here), None, msgspec.json.encode(record), recorded_ms=recorded_ms)


def shown(fleet: Fleet) -> dict[str, Shown]:
    """Return what the verdicts say."""
    return {
        url: Shown(said.gained_total, said.lost_total, said.live, said.title) for url, said in fleet.verdicts().items()
    }


async def step(fleet: Fleet, data: st.DataObject) -> None:
    """Have one of the things happen that workers do, or suffer."""
    partition = data.draw(st.integers(0, PARTITIONS - 1))
    match data.draw(st.sampled_from(("deliver", "receive", "commit", "write", "crash", "settle"))):
        case "deliver":
            topic = data.draw(st.sampled_from(fleet.topics.inputs)).name
            fleet.deliver(topic, partition, data.draw(st.integers(1, 3)))
        case "receive":
            fleet.hear_moves(partition % 2, data.draw(st.integers(1, 2)))
        case "commit":
            await fleet.commit(partition)
        case "write":
            await fleet.commit(partition, is_judging=False)
        case "crash":
            await fleet.crash(partition % 2)
        case "settle":
            await fleet.settle()


async def play(events: list[Event], data: st.DataObject, *, links_bring_back: bool) -> dict[str, Shown]:
    """Send the events in some order, some of them twice, and have workers do what they do at any time in between."""
    fleet = Fleet(now_ms=NOW_MS, links_bring_back=links_bring_back)
    await fleet.start()
    twice = data.draw(st.lists(st.sampled_from(events), max_size=3))
    for event in data.draw(st.permutations([*events, *twice])):
        spelling, anywhere = data.draw(st.integers(0, 3)), data.draw(st.integers(0, 2 * PARTITIONS))
        send(fleet, event, spelling=spelling, anywhere=anywhere)
        for _ in range(data.draw(st.integers(0, 2))):
            await step(fleet, data)
    await fleet.settle()
    return shown(fleet)


@examples(150)
@given(events.map(dated), st.booleans(), st.data())
def test_the_end_is_a_function_of_the_set_of_events(
    events: list[Event], links_bring_back: bool, data: st.DataObject
) -> None:
    """Whatever the order, whatever is known when, and whoever crashes: what is said at rest is what the set says."""
    said = asyncio.run(play(events, data, links_bring_back=links_bring_back))
    assert said == expected(events, links_bring_back=links_bring_back)
