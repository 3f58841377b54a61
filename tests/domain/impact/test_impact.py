"""Impact: which links bring people."""

from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.impact.impact import TROPHY_AFTER_DAYS, Tracking, is_trophy
from flatline.domain.judgement.judgement import Judgement
from flatline.domain.judgement.verdict import verdict_on
from flatline.domain.state import visits as visits_module
from flatline.domain.state.article import Article, Header, LinkObservation
from flatline.domain.state.link import ORGANIC
from flatline.domain.state.segment import Segment
from flatline.domain.state.visits import DayOfVisits, date_of
from flatline.domain.time import DAY_MS
from flatline.schema.verdict import Impact, SendingDomain, State, VisitsInDays

TODAY = 20_500

JUDGEMENT = Judgement(State.NEW, 0, None, None, suppressed=False, reason="", findings={})

Linked = tuple[int, int, int, bool]  # page, domain, day, gained
links = st.lists(
    st.tuples(st.integers(0, 30), st.integers(1, 8), st.integers(TODAY - 400, TODAY), st.booleans()),
    max_size=30,
    unique_by=lambda linked: linked[0],
)
sent = st.lists(st.tuples(st.integers(1, 10), st.integers(TODAY - 400, TODAY), st.integers(0, 5)), max_size=60)


def _domain(number: int) -> bytes:
    return number.to_bytes(6, "big")


def _article(linked: Iterable[Linked], reports: Iterable[tuple[int, int, int]]) -> Article:
    article = Article(b"key", Header(0), Segment())
    for page, domain, day, gained in linked:
        observation = LinkObservation(
            article.key, page.to_bytes(8, "big"), _domain(domain), gained, day * DAY_MS, ORGANIC
        )
        article.apply([observation], Counter())
    article.apply_visits(DayOfVisits(_domain(domain), day, visits) for domain, day, visits in reports)
    return article


def _impact(article: Article) -> Impact | None:
    return verdict_on(article, JUDGEMENT, horizon_days=1, now_ms=TODAY * DAY_MS).impact


def test_nobody_counted() -> None:
    """Without a record of visits nothing is said: no visits known is not the same as no visits."""
    assert _impact(_article([(1, 1, TODAY, True)], [])) is None


def test_an_article() -> None:
    """Every figure of a small article, by hand."""
    article = _article(
        [
            (1, 1, TODAY - 300, True),  # two links of a domain that sends people
            (2, 1, TODAY - 10, True),
            (3, 2, TODAY - 300, True),  # looks good, sends nobody
            (4, 3, TODAY - 5, True),  # may still send somebody
            (5, 4, TODAY - 300, False),  # never seen to appear: no link
        ],
        [
            (1, TODAY - 100, 40),
            (1, TODAY - 90, 8),  # just outside of the last 90 days
            (1, TODAY - 89, 4),
            (1, TODAY, 2),
            (1, TODAY, 1),  # corrected downward: the larger figure stays
            (2, TODAY - 50, 0),  # counted, and nobody came
            (9, TODAY - 28, 1),  # from a domain without a known link
            (9, TODAY - 27, 100),
        ],
    )
    assert _impact(article) == Impact(
        links_with_visits=2,
        links_without_visits=2,
        trophies=1,
        sending_domains=2,
        visits_total=155,
        visits_in_days=VisitsInDays(102, 107),
        visits_without_link=101,
        tracked_since=date_of(TODAY - 100),
        tracked_until=date_of(TODAY),
        top_domains=[SendingDomain(0, 101), SendingDomain(2, 54)],
        is_partial=False,
    )
    assert article.visiting_domains == {_domain(1), _domain(9)}


@given(links, sent)
def test_figures(linked: list[Linked], reports: list[tuple[int, int, int]]) -> None:
    """The figures are those of a plain count over sets."""
    impact = _impact(_article(linked, reports))
    if not reports:
        assert impact is None
        return
    assert impact is not None
    most = Counter[tuple[int, int]]()
    for domain, day, visits in reports:
        most[domain, day] = max(most[domain, day], visits)
    sending = {domain for (domain, _), visits in most.items() if visits}
    gained = [domain for _, domain, _, is_gained in linked if is_gained]
    assert impact.links_with_visits == sum(domain in sending for domain in gained)
    assert impact.links_without_visits == sum(domain not in sending for domain in gained)
    assert impact.sending_domains == len(sending)
    assert impact.visits_total == most.total()
    for days, counted in ((28, impact.visits_in_days.last_28), (90, impact.visits_in_days.last_90)):
        assert counted == sum(visits for (_, day), visits in most.items() if day > TODAY - days)
    assert impact.visits_without_link == sum(visits for (domain, _), visits in most.items() if domain not in gained)


@pytest.mark.parametrize(
    ("gained_day", "is_live", "since_day", "until_day", "expected"),
    [
        (100, True, 50, 100 + TROPHY_AFTER_DAYS, True),  # four weeks on show, nobody came
        (100, True, 50, 99 + TROPHY_AFTER_DAYS, False),  # a day too few to say so
        (10, True, 100, 99 + TROPHY_AFTER_DAYS, False),  # old, but visits were not counted for long enough
        (10, True, 100, 100 + TROPHY_AFTER_DAYS, True),
        (100, False, 50, 500, False),  # it is gone: nobody admires it
    ],
)
def test_trophies(gained_day: int, is_live: bool, since_day: int, until_day: int, expected: bool) -> None:
    """A link that sends nobody is a trophy once it had its chance under count."""
    assert is_trophy(gained_day, is_live=is_live, tracking=Tracking(since_day, until_day)) is expected


def test_unnamed_domains_are_not_accused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there was no room for a domain's visits, its links count neither way, and the verdict says so."""
    monkeypatch.setattr(visits_module, "DOMAINS_MAX", 2)
    linked = [(domain, domain, TODAY - 200, True) for domain in (1, 2, 3, 4, 5)]
    impact = _impact(_article(linked, [(domain, TODAY - day, 7) for domain in (2, 3, 4) for day in (0, 100)]))
    assert impact is not None
    assert (impact.links_with_visits, impact.links_without_visits, impact.trophies) == (2, 1, 1)
    assert (impact.is_partial, impact.visits_total) == (True, 3 * 14)
