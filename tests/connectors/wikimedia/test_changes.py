"""Which link events an edit of a wiki gives."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.fetching.sse import EventParser
from flatline_connectors.pages.dates import instant_of
from flatline_connectors.sites import on_sites
from flatline_connectors.wikimedia.changes import events_of, read_change
from tests.samples import SAMPLES, with_samples

SAMPLE = SAMPLES / "wikimedia_page_links_change.sse"
HERE = "https://yours.example/a"


def events(data: str, *sites: str) -> list[dict[str, Any]]:
    """Return the events of a change."""
    return [msgspec.to_builtins(each) for each in events_of(read_change(data), is_ours=on_sites(sites))]


def change(**fields: Any) -> str:
    """Return a change of a page."""
    meta = {"uri": "https://en.wiki.example/wiki/P", "dt": "2026-03-01T12:00:00Z", "domain": "en.wiki.example"}
    return json.dumps({"meta": meta, "page_title": "P", "page_namespace": 0, **fields})


def links(*urls: str) -> list[dict[str, Any]]:
    """Return external links."""
    return [{"link": url, "external": True} for url in urls]


@with_samples
def test_the_sample() -> None:
    """A link, a canary, a link that becomes an archive's, and one on a user's page without its protocol."""
    messages = EventParser().feed(SAMPLE.read_bytes())
    found = [events(message.data, "pub.example") for message in messages]
    shown = [[(each["url_to"], each.get("change"), each.get("lost_reason")) for each in row] for row in found]
    tomatoes = "https://pub.example/guides/slow-tomatoes"
    assert shown == [
        [(tomatoes, None, None)],
        [],
        [(tomatoes, "lost", "retargeted")],
        [("https://pub.example/interviews/ada-okoro", None, None)],
    ]
    assert (found[0][0]["rel"], found[0][0]["occurred_at"]) == (["nofollow"], "2026-11-24T08:00:00Z")
    assert [row[0].get("flags") for row in found if row] == [None, None, ["namespace-2"]]
    assert json.loads(messages[-1].id)[0]["timestamp"] == 1795500000004


def test_a_link_that_stays_is_not_lost() -> None:
    """It is written in another way: what counts is the address that it leads to."""
    found = events(change(added_links=links("//yours.example/a#top"), removed_links=links(HERE)), "yours.example")
    assert [each.get("change") for each in found] == [None]


def test_what_is_removed_is_lost() -> None:
    """A new link to a longer address is no copy of it."""
    found = events(change(added_links=links(f"{HERE}/b"), removed_links=links(HERE)), "yours.example")
    assert [(each.get("change"), each.get("lost_reason")) for each in found] == [(None, None), ("lost", "removed")]


def test_who_edits_is_not_told() -> None:
    """It may be an IP address."""
    assert "192.0.2" not in str(
        events(change(added_links=links(HERE), performer={"user_text": "192.0.2.1"}), "yours.example")
    )


def test_wiki_paths_are_none_of_ours() -> None:
    """Even where a wiki is on a site of ours."""
    internal = [{"link": "/wiki/Q", "external": False}]
    assert events(change(added_links=internal), "wiki.example") == []


@pytest.mark.parametrize("data", ["{", "[]", '{"meta": {}}', '{"meta": {"dt": 3}}', "{" * 100_000])
def test_what_is_no_change(data: str) -> None:
    """Each is said to be none."""
    with pytest.raises(Rejected) as rejected:
        read_change(data)
    assert rejected.value.reason is Reason.INVALID_JSON


@given(st.text())
def test_a_time_may_be_anything(text: str) -> None:
    """It is one, or is rejected."""
    told = read_change(change(meta={"dt": text, "uri": "https://en.wiki.example/"}))
    if instant_of(text) is not None:
        assert told.at == instant_of(text)
        return
    with pytest.raises(Rejected, match="is no time"):
        _ = told.at


def test_a_time() -> None:
    """In UTC, whatever zone it is written in."""
    told = read_change(change(meta={"dt": "2026-03-01T13:00:00+01:00"}))
    assert told.at == datetime(2026, 3, 1, 12, tzinfo=UTC)
