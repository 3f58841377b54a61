"""Which links the posts of Bluesky have, and what is remembered of them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flatline.schema.connector_record import POSITION_BYTES_MAX
from flatline.schema.rejection import Rejected
from flatline_connectors.bluesky.connector import REMEMBERED_POSTS, Bluesky, BlueskyState
from flatline_connectors.bluesky.posts import links_of, read_message
from flatline_connectors.fetching.sse import Message
from flatline_connectors.runtime.connector import FoundRecord
from flatline_connectors.sites import on_sites
from tests.connectors.runtime.worlds.bluesky import HERE, BlueskyWorld, post, time_us

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
IS_OURS = on_sites(["yours.example"])


class Listener:
    """A connector that is told messages, and the events that it has made of them."""

    def __init__(self, folder: Path) -> None:
        self._world = BlueskyWorld(folder)
        self._connector = Bluesky(self._world.options, self._world.resources())
        self.state = BlueskyState()
        self.events: list[dict[str, Any]] = []
        self._at = NOW

    def hear(
        self, rkey: str = "", record: Any = None, *, did: str = "did:plc:a", **fields: Any
    ) -> list[tuple[str, str]]:
        """Return what a message changes at which address."""
        self._at += timedelta(seconds=1)
        if rkey:
            commit = {"operation": "create" if record else "delete", "collection": "app.bsky.feed.post"}
            fields = {"kind": "commit", "commit": {"rkey": rkey, "record": record, **commit, **fields}}
        data = msgspec.json.encode({"did": did, "time_us": time_us(self._at), **fields}).decode()
        taken = self._connector.take(Message(data), self.state, self._at)
        self.state = taken.position
        events = [msgspec.json.decode(each.value) for each in taken.records if isinstance(each, FoundRecord)]
        self.events += events
        return [(event.get("change", "gained"), event["url_to"]) for event in events]


def test_a_post(tmp_path: Path) -> None:
    """Its text, card and dates; the position in the text counts in bytes."""
    listener = Listener(tmp_path)
    record = post(HERE, text=None, createdAt="2026-03-01T11:59:00Z")
    record["text"] = "Ünser 🐈 text"
    record["facets"][0]["index"] = {"byteStart": len("Ünser ".encode()), "byteEnd": len("Ünser 🐈".encode())}
    record["embed"] = {"media": {"external": {"uri": "https://www.yours.example/b", "title": "A  card"}}, "record": {}}
    assert listener.hear("k", record) == [("gained", HERE), ("gained", "https://www.yours.example/b")]
    in_text, on_card = listener.events
    assert (in_text["anchor"], on_card["anchor"], in_text["context"]) == ("🐈", "A card", "Ünser 🐈 text")
    assert in_text["url_from"] == "https://bsky.app/profile/did:plc:a/post/k"
    assert in_text["occurred_at"] == "2026-03-01T12:00:01Z"
    assert in_text["page"] == {
        "author": "did:plc:a",
        "published_at": "2026-03-01T11:59:00Z",
        "type": "post",
        "language": "en",
    }


def test_a_date_that_can_not_be_is_left_out(tmp_path: Path) -> None:
    """It is what the author's program says."""
    listener = Listener(tmp_path)
    for stated in ("1970-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "?", 7, None):
        listener.hear("k", post(HERE, createdAt=stated))
    assert not any("published_at" in event["page"] for event in listener.events)


def test_what_becomes_of_posts(tmp_path: Path) -> None:
    """They are changed and deleted, by themselves or with their account; what is not known says nothing."""
    listener = Listener(tmp_path)
    listener.hear("1", post(HERE, f"{HERE}/b"))
    listener.hear("2", post(HERE), did="did:plc:b")
    assert listener.hear("1", post(HERE), operation="update") == [("gained", HERE), ("lost", f"{HERE}/b")]
    assert listener.hear("9") == []
    assert listener.hear("1", did="did:plc:b") == []
    assert listener.hear("1") == [("lost", HERE)]
    assert listener.hear("1") == []
    hidden = {"active": False, "status": "deactivated"}
    assert listener.hear(did="did:plc:b", kind="account", account=hidden) == []
    gone = {"active": False, "status": "deleted"}
    assert listener.hear(did="did:plc:b", kind="account", account=gone) == [("lost", HERE)]
    assert listener.state.posts == {}
    assert [event.get("lost_reason") for event in listener.events if event.get("change")] == [
        "removed",
        "page_gone",
        "page_gone",
    ]


def test_only_the_newest_posts_are_remembered(tmp_path: Path) -> None:
    """A position has to fit into a record of Kafka."""
    listener = Listener(tmp_path)
    for number in range(REMEMBERED_POSTS + 1):
        listener.hear(str(number), post(HERE))
    assert listener.hear("0") == []
    assert listener.hear("1") == [("lost", HERE)]
    assert len(msgspec.json.encode(listener.state)) < 200_000


def test_long_addresses_do_not_fill_the_position(tmp_path: Path) -> None:
    """Whatever people post: what has no room is forgotten, and still reported."""
    listener = Listener(tmp_path)
    for number in range(300):
        assert len(listener.hear(str(number), post(f"{HERE}?{'x' * 4_000}{number}"))) == 1
    assert len(msgspec.json.encode(listener.state)) < POSITION_BYTES_MAX
    assert listener.hear("0") == []
    assert len(listener.hear("299")) == 1


anything = st.recursive(
    st.none() | st.integers() | st.text() | st.just(HERE),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["facets", "features", "index", "byteStart", "byteEnd", "embed", "external", "uri", "text"]
            ),
            inner,
        )
    ),
)


@settings(deadline=None)
@given(anything)
def test_a_record_may_be_anything(record: Any) -> None:
    """What is no link is none."""
    assert set(links_of(record, is_ours=IS_OURS)) <= {HERE}


@pytest.mark.parametrize(
    "data", ["{", "[]", '{"did": "d"}', '{"did": "d", "time_us": "1"}', '{"did": "d", "time_us": -1}', "{" * 100_000]
)
def test_what_is_no_message(data: str) -> None:
    """Each is said to be none."""
    with pytest.raises(Rejected):
        read_message(data)
