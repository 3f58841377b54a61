"""Mentions of webmention.io: those of the samples, where they lie beside the project, and whatever else may come."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.schema import codec
from flatline.schema.rejection import Rejected
from flatline_connectors.sites import on_sites
from flatline_connectors.webmention_io.mentions import Wanted, children_of, event_of, read_mention, read_notice
from tests.samples import SAMPLES, with_samples

NOW = datetime(2026, 11, 27, tzinfo=UTC)
T1 = "https://pub.example/guides/slow-tomatoes"
WANTED = Wanted(on_sites(["pub.example"]), proxies=["brid.gy.example"])


def mention(**fields: object) -> bytes:
    """Return a mention with these fields."""
    usual = {"wm-id": 7, "wm-source": "https://a.example/", "wm-target": T1, "wm-received": "2026-11-23T09:41:12Z"}
    return msgspec.json.encode(usual | {name.replace("_", "-"): value for name, value in fields.items()})


@with_samples
def test_the_sample_of_the_pull_api() -> None:
    """A reply with a date without a zone, a like by way of a proxy, and a private mention."""
    body = (SAMPLES / "webmention_io_mentions.jf2.json").read_bytes()
    reply, like, private = (read_mention(child, WANTED, is_history=False, now=NOW) for child in children_of(body))
    assert (reply.id, like.id, private.id) == (1900001, 1900002, 1900003)
    assert reply.event
    assert (reply.event.url_from, reply.event.url_to) == ("https://notes.example/2026/slow", T1)
    assert (reply.event.change, reply.event.discovery, reply.event.flags) == ("gained", "link_found", [])
    assert reply.event.occurred_at == datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    assert reply.event.observed_at == datetime(2026, 11, 23, 9, 41, 12, tzinfo=UTC)
    assert reply.event.page
    assert (reply.event.page.author, reply.event.page.type) == ("Rui Sato", "in-reply-to")
    assert like.event
    assert (like.event.url_from, like.event.flags) == ("https://social.example/@b/1", ["meta"])
    assert (like.event.occurred_at, like.event.page and like.event.page.type) == (None, "like-of")
    assert private.event is None
    wanted = Wanted(WANTED.is_ours, is_private=True)
    shown = read_mention(children_of(body)[2], wanted, is_history=True, now=NOW).event
    assert shown
    assert (shown.url_from, shown.discovery) == ("https://a.example/p?utm=x", "import")
    assert shown.occurred_at == datetime(2026, 11, 20, 8, tzinfo=UTC)


@with_samples
def test_the_sample_of_the_web_hook() -> None:
    """A mention that was deleted is a link that was removed."""
    notice = read_notice((SAMPLES / "webmention_io_webhook_deleted.json").read_bytes())
    event = event_of(notice, WANTED, now=NOW)
    assert event
    assert (event.change, event.lost_reason, event.url_from, event.url_to, event.observed_at) == (
        "lost",
        "removed",
        "https://notes.example/2026/slow",
        T1,
        NOW,
    )


def test_only_a_known_proxy_may_speak_for_another_page() -> None:
    """A page that names another one as its own address is the one that was verified."""
    forged = mention(url="https://big.example/article")
    event = read_mention(forged, WANTED, is_history=False, now=NOW).event
    assert event
    assert event.url_from == "https://a.example/"
    proxied = mention(url="javascript:x", wm_source="https://brid.gy.example/like/1")
    event = read_mention(proxied, WANTED, is_history=False, now=NOW).event
    assert event
    assert (event.url_from, event.flags) == ("https://brid.gy.example/like/1", ["meta"])


def test_other_targets_do_not_count() -> None:
    """An account may have sites that are not ours."""
    read = read_mention(mention(wm_target="https://other.example/"), WANTED, is_history=False, now=NOW)
    assert (read.id, read.event) == (7, None)


@pytest.mark.parametrize(
    ("published", "occurred", "page_date"),
    [
        ("2026-11-23T10:00:00+02:00", "2026-11-23T08:00:00+00:00", "2026-11-23T08:00:00+00:00"),
        ("2026-11-23", "2026-11-23T00:00:00+00:00", "2026-11-23T00:00:00+00:00"),
        ("2026-10-01T00:00:00Z", None, "2026-10-01T00:00:00+00:00"),
        ("2026-12-01T00:00:00Z", None, None),
        ("1970-01-01T00:00:00Z", None, None),
        ("yesterday", None, None),
        (["2026-11-23"], None, None),
        (7, None, None),
    ],
)
def test_dates_of_pages(published: object, occurred: str | None, page_date: str | None) -> None:
    """A recent date is the link's; one to come, of a clock that was never set, or of no known form is none."""
    event = read_mention(mention(published=published), WANTED, is_history=False, now=NOW).event
    assert event
    assert event.page
    said = [at.isoformat() if at else None for at in (event.occurred_at, event.page.published_at)]
    assert said == [occurred, page_date]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
NAMES = (
    "wm-id",
    "wm-source",
    "wm-target",
    "wm-received",
    "wm-property",
    "wm-private",
    "url",
    "published",
    "author",
    "name",
)


@given(st.dictionaries(st.sampled_from(NAMES), values), st.sampled_from(NAMES))
def test_whatever_comes_is_read_or_rejected(fields: dict[str, object], missing: str) -> None:
    """A mention becomes an event that can be sent, or is rejected; nothing else happens."""
    whole = msgspec.json.decode(mention(**fields))
    whole.pop(missing, None)
    try:
        event = read_mention(msgspec.json.encode(whole), Wanted(), is_history=False, now=NOW).event
    except Rejected:
        return
    if event is not None:
        assert msgspec.json.decode(codec.links.encode(event))


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"children": {}}', b'{"error": "unauthorized"}', b"\xff", b"[" * 9_999]
)
def test_answers_that_are_none(body: bytes) -> None:
    """What is no list of mentions is rejected."""
    with pytest.raises(Rejected):
        children_of(body)
    with pytest.raises(Rejected):
        read_notice(body)
