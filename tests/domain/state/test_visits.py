"""The visits to an article: whatever order reports come in, and however often, the same is known."""

import random
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.state import visits as visits_module
from flatline.domain.state.visits import DayOfVisits, Sent, Visits, date_of, day_of_visits
from flatline.domain.time import LATEST_MS, to_ms
from flatline.domain.urls.fingerprints import referrer
from flatline.engine.batch_writer import batch_bytes_max
from flatline.engine.log import Outgoing
from flatline.schema.rejection import Reason, Rejected
from flatline.schema.topics import MESSAGE_BYTES_MAX
from flatline.schema.visits_record import VISITS_MAX, VisitsRecord

NEW_YEAR_2025 = 20_089  # 2025-01-01
WRITTEN_MS = to_ms(datetime.fromisoformat("2026-01-31T23:00:00Z"))

reports = st.lists(
    st.builds(
        DayOfVisits,
        st.integers(1, 9).map(lambda number: number.to_bytes(6, "big")),
        st.integers(NEW_YEAR_2025 - 2, NEW_YEAR_2025 + 2),
        st.integers(0, 4),
    ),
    max_size=40,
)


@pytest.fixture
def four_domains_a_year(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make so little room that a few reports fill it."""
    monkeypatch.setattr(visits_module, "DOMAINS_MAX", 4)


def _seen(history: list[DayOfVisits]) -> Sent:
    visits = Visits()
    visits.apply(history)
    return visits.sent()


def _expected(history: list[DayOfVisits]) -> Sent:
    """Say the same of the whole set at once: the lowest four domains of each year, the rest by its daily maximum."""
    most: dict[tuple[bytes, int], int] = {}
    for domain, day, count in history:
        most[domain, day] = max(most.get((domain, day), 0), count)
    by_domain: dict[bytes, dict[int, int]] = {}
    others: dict[int, int] = {}
    named_until = None
    for year in (2024, 2025):
        mine = {key: count for key, count in most.items() if (key[1] >= NEW_YEAR_2025) == (year == 2025)}
        named = sorted({domain for domain, _ in mine})[:4]
        for (domain, day), count in mine.items():
            if domain in named:
                by_domain.setdefault(domain, {})[day] = count
            else:
                others[day] = max(others.get(day, 0), count)
                named_until = min(named[-1], named_until or named[-1])
    by_day: dict[int, int] = {}
    for days in (*by_domain.values(), others):
        for day, count in days.items():
            by_day[day] = by_day.get(day, 0) + count
    totals = {domain: sum(days.values()) for domain, days in by_domain.items()}
    return Sent(totals, by_day, sum(others.values()), named_until)


@pytest.mark.usefixtures("four_domains_a_year")
class TestJoin:
    """Properties with room for four domains a year."""

    @given(reports, st.randoms(use_true_random=False))
    def test_order_and_repeats_change_nothing(self, history: list[DayOfVisits], chance: random.Random) -> None:
        """Shuffled, with repeats, in one batch or in many: what is known is what the set of reports says."""
        again = history + [report for report in history if chance.random() < 0.5]
        chance.shuffle(again)
        one_by_one = Visits()
        for report in again:
            one_by_one.apply([report])
        assert one_by_one.sent() == _seen(again) == _expected(history)

    @given(reports, reports)
    def test_what_is_known_is_no_news(self, first: list[DayOfVisits], second: list[DayOfVisits]) -> None:
        """`see` says that something was learned exactly when something else is kept than before."""
        visits = Visits()
        visits.apply(first)
        before = dict(visits.encode(only_changed=False))
        assert visits.apply(second) == (dict(visits.encode(only_changed=False)) != before)
        assert not visits.apply(first + second)

    @given(reports, reports)
    def test_only_years_that_changed_are_written(self, first: list[DayOfVisits], second: list[DayOfVisits]) -> None:
        """What was written, each year replaced by its newest bytes, is the whole."""
        visits, written = Visits(), dict[bytes, bytes]()
        for batch in (first, second):
            visits.apply(batch)
            written.update(visits.encode(only_changed=True))
        assert list(visits.encode(only_changed=True)) == []
        assert written == dict(visits.encode(only_changed=False))
        assert Visits(written).sent() == visits.sent()


def test_a_new_day_rewrites_its_year_alone() -> None:
    """A report of 2025 leaves what was written of 2024 as it is."""
    visits = Visits()
    visits.apply([DayOfVisits(b"domain", NEW_YEAR_2025 - 1, 1), DayOfVisits(b"domain", NEW_YEAR_2025, 1)])
    assert [year for year, _ in visits.encode(only_changed=True)] == [b"2024", b"2025"]
    visits.apply([DayOfVisits(b"domain", NEW_YEAR_2025 + 1, 1)])
    assert [year for year, _ in visits.encode(only_changed=True)] == [b"2025"]


def test_the_largest_article_fits_a_record() -> None:
    """A leap year in which every domain that has a name, and others, sent a million a day stays below Kafka's limit."""
    visits, leap_day = Visits(), NEW_YEAR_2025 - 366
    for number in range(visits_module.DOMAINS_MAX + 1):
        visits.apply([DayOfVisits(number.to_bytes(6, "big"), leap_day + day, 1_000_000) for day in range(366)])
    ((year, encoded),) = visits.encode(only_changed=True)
    assert (year, visits.sent().others) == (b"2024", 366_000_000)
    assert len(encoded) < 1_000_000


@pytest.mark.parametrize(
    ("day", "is_possible"),
    [
        ("1991-08-05", False),  # a day before the web
        ("1991-08-06", True),
        ("2026-01-31", True),  # today, as far as it is known
        ("2026-02-01", True),  # where the producer is, it is tomorrow already
        ("2026-02-02", False),
        ("9999-12-31", False),
    ],
)
def test_days_that_can_be(day: str, is_possible: bool) -> None:
    """A day lies between the first web page and the day after its record was written."""
    record = VisitsRecord("https://yours.example/", date.fromisoformat(day), 1, domain="news.example")
    if is_possible:
        assert date_of(day_of_visits(record, recorded_ms=WRITTEN_MS).day) == date.fromisoformat(day)
    else:
        with pytest.raises(Rejected) as rejected:
            day_of_visits(record, recorded_ms=WRITTEN_MS)
        assert rejected.value.reason is Reason.INVALID_TIME
    assert date_of(NEW_YEAR_2025) - timedelta(1) == date(2024, 12, 31)


@pytest.mark.parametrize(
    "record",
    [
        {"domain": "news.example"},
        {"domain": "WWW.News.Example"},
        {"domain": "amp.news.example"},  # a subdomain is the same site, as it is for links
        {"url_from": "http://news.example/2026/post?utm_source=x"},
        {"domain": "news.example", "url_from": "https://elsewhere.example/"},
    ],
)
def test_a_sender_is_the_domain_of_its_links(record: dict[str, str]) -> None:
    """Visits and links of one site have the same fingerprint, however the site is named."""
    visits = VisitsRecord("https://yours.example/", date(2026, 1, 1), 1, **record)
    assert day_of_visits(visits, recorded_ms=LATEST_MS).domain == referrer("https://news.example/another")[1]


def test_the_largest_year_fits_its_topic() -> None:
    """Of 300 domains, each with the largest figure on every day of a leap year: the record of that year has room."""
    day = date(2028, 1, 1).toordinal() - date(1970, 1, 1).toordinal()
    visits = Visits()
    visits.apply(DayOfVisits(number.to_bytes(6), day + at, VISITS_MAX) for number in range(300) for at in range(366))
    [(low, encoded)] = visits.encode(only_changed=False)
    assert low == b"2028"
    key = f"https://yours.example/{'a' * 4_000}".encode() + b"\0" + low
    assert batch_bytes_max(Outgoing("state", 0, key, b"x" + encoded)) < MESSAGE_BYTES_MAX
