"""From a link event to what its article takes."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xxhash import xxh3_64_digest

from flatline.domain.events import observation as observations
from flatline.domain.events.observation import ArticleKeys, observation_of
from flatline.domain.policy.ignore import Ignore, Ignored
from flatline.domain.state import link
from flatline.domain.state.article import Article, Header, LinkObservation
from flatline.domain.state.link import Effect
from flatline.domain.state.segment import Segment
from flatline.domain.time import to_ms
from flatline.domain.urls.canonical import article_key
from flatline.schema.link_event import LinkEvent
from flatline.schema.rejection import Reason, Rejected

OCCURRED = datetime(2026, 5, 1, tzinfo=UTC)
RECORDED_MS = to_ms(datetime(2026, 6, 1, tzinfo=UTC))
PAGE, DOMAIN = xxh3_64_digest(b"https://sub.a.example/1"), xxh3_64_digest(b"a.example")[:6]


def _event(**fields: object) -> LinkEvent:
    urls = {"url_from": "http://Sub.a.example/1", "url_to": "http://www.b.example/x/?utm_source=y"}
    return LinkEvent(**{**urls, "occurred_at": OCCURRED, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "expected", "why"),
    [
        ({}, (True, to_ms(OCCURRED), link.ORGANIC, None, False), "the usual event"),
        ({"source": "crawler"}, (True, to_ms(OCCURRED), link.ORGANIC, "crawler", False), "who reports it"),
        (
            {"rel": ["nofollow"]},
            (True, to_ms(OCCURRED), link.ORGANIC | link.NOFOLLOW, None, False),
            "its flags_and_traits",
        ),
        ({"rel": []}, (True, to_ms(OCCURRED), link.ORGANIC | link.FOLLOWED, None, False), "it has no tokens"),
        ({"rel": ["noopener"]}, (True, to_ms(OCCURRED), link.ORGANIC | link.FOLLOWED, None, False), "none of ours"),
        (
            {"observed_at": OCCURRED + timedelta(hours=24)},
            (True, to_ms(OCCURRED), link.ORGANIC, None, False),
            "seen soon",
        ),
        (
            {"observed_at": OCCURRED + timedelta(hours=25)},
            (True, to_ms(OCCURRED), link.ORGANIC, None, False, to_ms(OCCURRED + timedelta(hours=25))),
            "seen again",
        ),
        (
            {"observed_at": datetime(2062, 1, 1, tzinfo=UTC)},
            (True, to_ms(OCCURRED), link.ORGANIC, None, False, RECORDED_MS),
            "seen, says a clock that is ahead",
        ),
        ({"discovery": "import"}, (True, to_ms(OCCURRED), 0, None, False), "an import is no sign of life"),
        (
            {"change": "lost", "rel": ["ugc"]},
            (False, to_ms(OCCURRED), link.ORGANIC, None, False),
            "no traits",
        ),
        (
            {"change": "lost", "lost_reason": "HTTP 404"},
            (False, to_ms(OCCURRED), link.ORGANIC, None, False, 0, link.lost_reason_code("page_gone")),
            "a reason in other words",
        ),
        (
            {"change": "lost", "lost_reason": "our intern took it down"},
            (False, to_ms(OCCURRED), link.ORGANIC, None, False),
            "a reason in words of its own",
        ),
        ({"flags": ["floor"]}, (True, to_ms(OCCURRED), link.ORGANIC, None, False, 0, 0, True), "one of several"),
        ({"flags": ["sitewide"]}, (True, to_ms(OCCURRED), link.ORGANIC, None, False), "says nothing of others"),
        ({"lost_reason": "removed"}, (True, to_ms(OCCURRED), link.ORGANIC, None, False), "a gain has no reason"),
        ({"occurred_at": None}, (True, RECORDED_MS, link.ORGANIC, None, False), "no date but the record's"),
        ({"occurred_at": datetime(2062, 1, 1, tzinfo=UTC)}, (True, RECORDED_MS, link.ORGANIC, None, True), "ahead"),
    ],
)
def test_what_an_event_says(fields: dict[str, object], expected: tuple[Any, ...], why: str) -> None:
    """Both URLs become what the state knows them by, and the time one that is possible."""
    observation = observation_of(_event(**fields), recorded_ms=RECORDED_MS, keys=ArticleKeys())
    assert observation == LinkObservation(b"https://b.example/x", PAGE, DOMAIN, *expected), why


def test_a_time_before_the_web_is_rejected() -> None:
    """Also of a suspicion: it is no time, and the event has no other."""
    for change in ("gained", "lost", "suspected"):
        event = _event(change=change, occurred_at=datetime(1970, 1, 1, tzinfo=UTC))
        with pytest.raises(Rejected) as caught:
            observation_of(event, recorded_ms=RECORDED_MS, keys=ArticleKeys())
        assert caught.value.reason is Reason.INVALID_TIME


def test_what_is_ignored_is_no_observation() -> None:
    """An ignored event gives none, and one that can't be read is rejected although its source is ignored by none."""
    ignored, keys = Ignored(Ignore(sources=["scraper"])), ArticleKeys()
    scraped, other = (
        observation_of(_event(source=source), recorded_ms=RECORDED_MS, keys=keys, ignored=ignored)
        for source in ("scraper", "other")
    )
    assert scraped is Effect.IGNORED
    assert isinstance(other, LinkObservation)
    for field in ("url_from", "url_to"):
        with pytest.raises(Rejected) as caught:
            observation_of(_event(**{field: "mailto:x"}), recorded_ms=RECORDED_MS, keys=keys, ignored=ignored)
        assert caught.value.reason is Reason.INVALID_URL
        assert field in caught.value.detail


OWN = Ignore(own_links=False)
SEVERAL = Ignore(own_domains=["b.example", "c.example"])


@pytest.mark.parametrize(
    ("url_from", "url_to", "ignore", "is_link", "why"),
    [
        ("https://b.example/weekly", "https://b.example/x", Ignore(), False, "the same host"),
        ("https://blog.b.example/weekly", "https://www.b.example/x", Ignore(), False, "the same registrable domain"),
        ("https://b.example/weekly", "https://b.example/x", OWN, True, "a team wants to count them"),
        ("https://b.example/x/#top", "http://www.b.example/x?utm_source=y", OWN, False, "no page is its own backlink"),
        ("https://github.com/one/list", "https://github.com/other/tool", Ignore(), True, "very many authors"),
        ("https://github.com/other/tool", "https://github.com/other/tool", Ignore(), False, "and one page of one"),
        ("https://one.github.io/list", "https://other.github.io/x", Ignore(), True, "two owners by the suffix list"),
        ("https://c.example/weekly", "https://b.example/x", Ignore(), True, "another domain"),
        ("https://c.example/weekly", "https://b.example/x", SEVERAL, False, "which a team says is its own"),
        ("https://c.example/weekly", "https://d.example/x", SEVERAL, True, "to a third one"),
        (
            "https://c.example/",
            "https://b.example/",
            Ignore(own_links=False, own_domains=["b.example", "c.example"]),
            True,
            "all of them count then",
        ),
    ],
)
def test_own_links_are_none(url_from: str, url_to: str, ignore: Ignore, is_link: bool, why: str) -> None:
    """Gains and losses alike, with a policy and without one."""
    for ignored in [Ignored(ignore), None] if ignore == Ignore() else [Ignored(ignore)]:
        for change in ("gained", "lost"):
            event = _event(url_from=url_from, url_to=url_to, change=change)
            found = observation_of(event, recorded_ms=RECORDED_MS, keys=ArticleKeys(), ignored=ignored)
            assert isinstance(found, LinkObservation) if is_link else found is Effect.IGNORED, why


def test_a_link_that_wanders_through_an_archive_goes_on() -> None:
    """Week by week it moves on by a page; it shows under its tags and in the feed, too: one link, gained once."""
    article = Article(b"https://b.example/x", Header(0), Segment())
    places = ["/", "/page/2", "/page/3", "/?page=4", "/tag/tools", "/tag/tools/page/2", "/feed/", "/category/all"]
    effects: defaultdict[tuple[str | None, Effect], int] = defaultdict(int)
    for week, (place, before) in enumerate(zip(places, [None, *places], strict=False)):
        at = OCCURRED + timedelta(days=7 * week)
        events = [_event(url_from=f"https://blog.example{place}", occurred_at=at)]
        if before not in (None, "/"):
            events.append(_event(url_from=f"https://blog.example{before}", occurred_at=at, change="lost"))
        found = [observation_of(event, recorded_ms=RECORDED_MS * 2, keys=ArticleKeys()) for event in events]
        assert found[1:] in ([], [Effect.SUSPECTED])
        article.apply([each for each in found if isinstance(each, LinkObservation)], effects)
    assert effects == {(None, Effect.GAINED): 1, (None, Effect.SEEN_AGAIN): len(places) - 1}
    assert (article.totals.live, len(list(article.totals.days))) == (1, 1)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"change": "suspected"}, Effect.SUSPECTED),
        ({"change": "suspected", "lost_reason": "removed"}, Effect.SUSPECTED),
        ({"change": "lost", "lost_reason": "timeout"}, Effect.SUSPECTED),
        ({"change": "lost", "lost_reason": "HTTP 403"}, Effect.SUSPECTED),
        ({"change": "lost", "lost_reason": "5xx"}, Effect.SUSPECTED),
        ({"change": "lost", "lost_reason": "503 Service Unavailable"}, Effect.SUSPECTED),
        ({"change": "lost", "lost_reason": "robots"}, Effect.SUSPECTED),
        ({"change": "lost", "lost_reason": "vendor_unsure"}, Effect.SUSPECTED),
        ({"change": "lost", "lost_reason": "404"}, None),
        ({"change": "lost", "lost_reason": "page_gone"}, None),
        ({"change": "lost", "lost_reason": "a word of a vendor's own"}, None),
        ({"change": "lost"}, None),
        ({"change": "gained", "lost_reason": "timeout"}, None),
    ],
)
def test_a_suspicion_is_no_loss(fields: dict[str, object], expected: Effect | None) -> None:
    """Who could not look, or only thinks that a link is gone, says nothing that its article takes."""
    found = observation_of(_event(**fields), recorded_ms=RECORDED_MS, keys=ArticleKeys())
    assert isinstance(found, LinkObservation) if expected is None else found is expected


def test_a_suspicion_that_cannot_be_read_is_rejected() -> None:
    """Like any other event."""
    keys = ArticleKeys()
    for fields in ({"url_from": "mailto:x"}, {"url_to": "mailto:x"}):
        with pytest.raises(Rejected):
            observation_of(_event(change="suspected", **fields), recorded_ms=RECORDED_MS, keys=keys)
    with pytest.raises(Rejected):
        observation_of(_event(change="suspected", occurred_at=None), recorded_ms=-1, keys=keys)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["http", "https"]), st.integers(0, 30), st.text("a/?=", max_size=40))))
def test_remembered_keys_are_those_of_their_urls(urls: list[tuple[str, int, str]]) -> None:
    """However often they are forgotten, keys are what canonicalising gives, and few are kept where there is no room."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(observations, "REMEMBERED_BYTES_MAX", 2_000)
        keys = ArticleKeys()
        for scheme, host, rest in urls:
            url = f"{scheme}://{host}.example/{rest}"
            assert keys[url] == keys[url] == article_key(url, field="url_to")
            assert len(keys) < 2_000 / 128
