"""Authority both ways: against a plain count, and on a simulated world whose truth is known."""

import random
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.impact.authority import EXPOSURE_DAYS_MAX, Beneficiary, Exposure, Pair, pairs
from flatline.domain.impact.ledger import Ledger
from flatline.domain.time import DAY_MS, LATEST_MS, to_ms
from flatline.schema.article_record import ArticleRecord
from flatline.schema.link_event import LinkEvent
from flatline.schema.visits_record import VisitsRecord

DAY_0 = datetime(2024, 1, 1, tzinfo=UTC)
# Pages that link and pages that are linked to: the publications' and the authors' alike.
PAGES = [f"https://{site}.example/{number}" for site in ("mag", "blog", "ada", "bob") for number in range(3)]
AUTHORS = {page: page[8:11].title() for page in PAGES if page.startswith(("https://ada", "https://bob"))}


class Event(NamedTuple):
    """A link event: from page to page, gained or lost, found as a new link or imported, on a day."""

    page: str
    target: str
    is_gain: bool
    is_organic: bool
    day: int


events = st.lists(
    st.builds(
        Event,
        st.sampled_from(PAGES),
        st.sampled_from(PAGES),
        st.sampled_from([True, True, True, False]),
        st.booleans(),
        st.integers(0, 500),
    ),
    max_size=60,
)
visits = st.lists(st.tuples(st.sampled_from(PAGES), st.sampled_from(PAGES), st.integers(0, 3), st.integers(0, 9)))


def _ledger(
    history: Iterable[Event], sent: Iterable[tuple[str, str, int, int]] = (), authors: dict[str, str] = AUTHORS
) -> Ledger:
    ledger = Ledger()
    for page, target, is_gain, is_organic, day in history:
        event = LinkEvent(
            f"{page}?utm_source=x",
            target.replace("https://", "http://www."),
            change="gained" if is_gain else "lost",
            occurred_at=DAY_0 + timedelta(day),
            discovery="link_found" if is_organic else "import",
        )
        ledger.add_link(event, recorded_ms=LATEST_MS)
    for url, author in authors.items():
        ledger.register(ArticleRecord(url, author=author))
    for page, target, day, count in sent:
        ledger.add_visits(VisitsRecord(target, date(2024, 1, 1 + day), count, url_from=page))
    return ledger


def _site(page: str) -> str:
    return page.split("/")[2]


def _expected(history: list[Event], sent: list[tuple[str, str, int, int]], by: Beneficiary) -> list[Pair]:
    """Count every pair by itself, from the events as they are."""
    side = AUTHORS if by is Beneficiary.AUTHOR else {page: _site(page) for page in PAGES}
    first: dict[tuple[str, str], int] = {}
    for page, target, is_gain, _, day in history:
        if is_gain and _site(page) != _site(target):
            first[page, target] = min(day, first.get((page, target), day))
    until = max((event.day for event in history), default=0)

    def is_live(pair: tuple[str, str]) -> bool:
        mine = [event for event in history if (event.page, event.target) == pair]
        newest = max(event.day for event in mine)
        return any(event.is_gain for event in mine if event.day == newest)

    def is_organic(pair: tuple[str, str]) -> bool:
        return Event(*pair, is_gain=True, is_organic=True, day=first[pair]) in history

    def exposure(starts: dict[str, int]) -> Exposure:
        days = gained = 0
        for page, start in starts.items():
            end = min(until, start + EXPOSURE_DAYS_MAX)
            days += end - start
            gained += sum(is_organic(pair) and start < day <= end for pair, day in first.items() if pair[1] == page)
        return Exposure(len(starts), days * DAY_MS, gained)

    entered = {target: min(day for pair, day in first.items() if pair[1] == target) for _, target in first}
    most: dict[tuple[str, str, int], int] = {}
    for page, target, day, count in sent:
        most[_site(page), target, day] = max(count, most.get((_site(page), target, day), 0))
    found = []
    for domain, beneficiary in {(_site(page), side[target]) for page, target in first if target in side}:
        mine = [pair for pair in first if _site(pair[0]) == domain and side.get(pair[1]) == beneficiary]
        since = {page: min(day for pair, day in first.items() if pair in mine and pair[0] == page) for page, _ in mine}
        own = {page: day for page, day in entered.items() if _site(page) == domain}
        found.append(
            Pair(
                domain,
                beneficiary,
                links=len(mine),
                live=sum(map(is_live, mine)),
                articles=len({target for _, target in mine}),
                visits=sum(
                    count for (of, target, _), count in most.items() if of == domain and side.get(target) == beneficiary
                ),
                links_back=sum(side.get(page) == beneficiary and _site(target) == domain for page, target in first),
                linking=exposure({page: max(day, since[page]) for page, day in own.items() if page in since}),
                others=exposure({page: day for page, day in own.items() if page not in since}),
            )
        )
    return sorted(found, key=lambda pair: (-pair.links, pair.domain, pair.beneficiary))


@pytest.mark.parametrize("by", Beneficiary)
@given(history=events, sent=visits, chance=st.randoms(use_true_random=False))
def test_pairs(
    by: Beneficiary, history: list[Event], sent: list[tuple[str, str, int, int]], chance: random.Random
) -> None:
    """The figures of every pair are those of a plain count, in whatever order events come, and with repeats."""
    expected = _expected(history, sent, by)
    assert pairs(_ledger(history, sent), by) == expected
    chance.shuffle(history)
    assert pairs(_ledger(history + history[:9], sent + sent[:9]), by) == expected
    assert pairs(_ledger(history), by, links_min=3) == [pair._replace(visits=0) for pair in expected if pair.links >= 3]


def test_a_publication_and_an_author() -> None:
    """By hand: the magazine gives Ada two links and forty visits; its page that links gains more than the other."""
    a_page, another, article = "https://mag.example/1", "https://mag.example/2", "https://ada.example/1"
    history = [
        Event(a_page, article, is_gain=True, is_organic=True, day=10),
        Event(another, "https://bob.example/1", is_gain=True, is_organic=True, day=10),
        Event("https://mag.example/old", article, is_gain=True, is_organic=False, day=10),
        Event("https://mag.example/old", article, is_gain=False, is_organic=True, day=20),
        Event(article, a_page, is_gain=True, is_organic=True, day=10),
        *(Event(f"https://x{day}.example/", a_page, is_gain=True, is_organic=True, day=day) for day in range(5, 70, 5)),
        *(
            Event(f"https://x{day}.example/", another, is_gain=True, is_organic=True, day=day)
            for day in range(10, 70, 10)
        ),
    ]
    (pair, *_) = pairs(_ledger(history, [(a_page, article, 1, 40)]), Beneficiary.AUTHOR)
    assert pair == Pair(
        "mag.example",
        "Ada",
        links=2,
        live=1,
        articles=1,
        visits=40,
        links_back=1,
        linking=Exposure(1, 55 * DAY_MS, 11),  # days 15 to 65, and not those of day 5 and 10
        others=Exposure(1, 55 * DAY_MS, 5),  # days 20 to 60: it is a target since day 10
    )
    assert pair.lift == pytest.approx(11 / 5)


def test_a_registration_taken_back() -> None:
    """An article that has no author any more is nobody's."""
    history = [Event("https://mag.example/1", "https://ada.example/1", is_gain=True, is_organic=True, day=1)]
    ledger = _ledger(history)
    ledger.unregister(b"https://ada.example/1")
    ledger.unregister(b"https://never.example/met")
    assert pairs(ledger, Beneficiary.AUTHOR) == []
    assert len(pairs(ledger, Beneficiary.SITE)) == 1


@pytest.mark.parametrize("truth", [0.5, 1.0, 2.0])
def test_the_truth_of_a_simulated_world(truth: float) -> None:
    """Pages that link to Ada gain ``truth`` times as many links as the others: the lift says so, within 15 %.

    Pages gain at rates of their own, most while they are young, and the world ends in the middle of it.
    """
    chance = random.Random(f"authority {truth}")
    history = []
    for number in range(400):
        page, born, links_to_ada = f"https://mag.example/{number}", chance.randrange(700), chance.random() < 0.4
        target = f"https://{'ada' if links_to_ada else 'bob'}.example/1"
        history.append(Event(page, target, is_gain=True, is_organic=True, day=born))
        gains_a_day = chance.uniform(0.05, 0.15) * (truth if links_to_ada else 1)
        history += [
            Event(f"https://x{day}.example/{number}", page, is_gain=True, is_organic=True, day=day)
            for day in range(born, 800)
            if chance.random() < gains_a_day * (0.2 + 2.718 ** ((born - day) / 100))
        ]
    (of_ada,) = (
        pair for pair in pairs(_ledger(history), Beneficiary.AUTHOR, links_min=50) if pair.beneficiary == "Ada"
    )
    assert of_ada.lift == pytest.approx(truth, rel=0.15)


def test_a_suspicion_takes_no_link_away() -> None:
    """It says only how far the links are known."""
    ledger = Ledger()
    said = LinkEvent("https://a.example/1", "https://ada.example/1", occurred_at=DAY_0)
    ledger.add_link(said, recorded_ms=LATEST_MS)
    known = list(ledger.links())
    for changed in ({"change": "suspected"}, {"change": "lost", "lost_reason": "timeout"}):
        later = msgspec.structs.replace(said, occurred_at=DAY_0 + timedelta(9), **changed)
        ledger.add_link(later, recorded_ms=LATEST_MS)
    assert list(ledger.links()) == known
    assert ledger.until_ms == to_ms(DAY_0 + timedelta(9))
