"""From a link event to what its article takes."""

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
from flatline.domain.state.article import LinkObservation
from flatline.domain.state.link import Effect
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
