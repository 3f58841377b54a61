"""Decoding never fails but with a reason."""

import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.schema import codec, json_schema
from flatline.schema.codec import Codec
from flatline.schema.limits import RECORD_BYTES_MAX
from flatline.schema.link_event import LinkEvent
from flatline.schema.rejection import Reason, Rejected

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
fields = st.sampled_from([*LinkEvent.__struct_fields__, "unknown"])


@given(st.one_of(st.none(), st.binary(), json_values.map(lambda value: json.dumps(value).encode())))
def test_any_bytes_decode_or_are_rejected(value: bytes | None) -> None:
    """Whatever the bytes, the result is an event or a `Rejected` with a reason of the list."""
    _decode_or_reject(value)


@given(st.dictionaries(fields, json_values))
def test_any_object_decodes_or_is_rejected(extra: dict[str, object]) -> None:
    """The same for objects that look like events."""
    event = {"url_from": "https://a.example/", "url_to": "https://b.example/", **extra}
    _decode_or_reject(json.dumps(event).encode())


RECEIVED: dict[str, tuple[Codec[Any], dict[str, object]]] = {
    "link_event": (codec.links, {"url_from": "https://a.example/", "url_to": "https://b.example/"}),
    "article_record": (codec.articles, {"url": "https://b.example/"}),
    "visits_record": (codec.visits, {"url": "https://b.example/", "day": "2026-02-01", "visits": 3, "domain": "a.ex"}),
    "removal": (codec.removals, {"url": "https://b.example/", "removed_at": "2026-02-01T00:00:00Z"}),
    "move": (
        codec.moves,
        {"old": "https://a.example/", "new": "https://b.example/", "decided_at": "2026-02-01T00:00:00Z"},
    ),
    "site_record": (codec.sites, {"domain": "b.example"}),
    "alert_mark": (
        codec.alert_marks,
        {
            "subject": "https://b.example/",
            "kind": "silent",
            "since": "2026-02-01T00:00:00Z",
            "mark": "right",
            "marked_at": "2026-02-01T00:00:00Z",
        },
    ),
    "snooze": (
        codec.snoozes,
        {
            "labels": {"alertname": "ArticleSilent"},
            "until": "2026-02-01T00:00:00Z",
            "why": "w",
            "by": "b",
            "snoozed_at": "2026-02-01T00:00:00Z",
        },
    ),
    "annotation": (
        codec.annotations,
        {"day": "2026-02-01", "text": "t", "annotated_at": "2026-02-01T00:00:00Z"},
    ),
    "heartbeat": (
        codec.heartbeats,
        {"source": "s", "sent_at": "2026-02-01T00:00:00Z", "seen_until": "2026-02-01T00:00:00Z"},
    ),
}


@pytest.mark.parametrize("name", sorted(json_schema.RECEIVED))
def test_null_is_left_out(name: str) -> None:
    """An optional field that is null is as if it were not there, lists too; a required one is still missing."""
    kind, least = RECEIVED[name]
    optional = [each.name for each in msgspec.structs.fields(json_schema.TYPES[name]) if not each.required]
    said = [each for each in optional if each not in least]
    assert said
    for nulls in [*([each] for each in said), said]:
        record = json.dumps(least | dict.fromkeys(nulls)).encode()
        assert kind.decode(record) == kind.decode(json.dumps(least).encode()), nulls
    for required in set(least) - set(optional):
        with pytest.raises(Rejected):
            kind.decode(json.dumps(least | dict.fromkeys([required, said[0]])).encode())


def test_a_null_hides_no_other_fault() -> None:
    """The reason is that of what is wrong beside it."""
    with pytest.raises(Rejected) as rejection:
        codec.links.decode(b'{"url_from": "https://a.ex/", "url_to": "https://b.ex/", "rel": null, "flags": 1}')
    assert rejection.value.reason == Reason.WRONG_TYPE
    assert "flags" in rejection.value.detail


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999Z"),
        ("2016-12-31T23:59:60.5Z", "2016-12-31T23:59:59.999Z"),
        ("2017-01-01T05:29:60+05:30", "2017-01-01T05:29:59.999+05:30"),
        ("2026-01-31T12:00:60Z", None),
        ("2026-01-30T23:59:60Z", None),
        ("2026-02-31T23:59:60Z", None),
        ("2016-12-31T23:59:61Z", None),
    ],
)
def test_a_leap_second(text: str, means: str | None) -> None:
    """RFC 3339 knows second 60 at the end of a month in UTC; any other is no time."""
    for other in ({}, {"rel": None}):
        event = {"url_from": "https://a.example/", "url_to": "https://b.example/", **other}
        record = json.dumps({**event, "occurred_at": text, "page": {"published_at": text}}).encode()
        if means is None:
            with pytest.raises(Rejected) as rejection:
                codec.links.decode(record)
            assert rejection.value.reason == Reason.INVALID_TIME
        else:
            same = json.dumps({**event, "occurred_at": means, "page": {"published_at": means}}).encode()
            assert codec.links.decode(record) == codec.links.decode(same)


def test_what_is_not_utf_8_is_no_json() -> None:
    """Neither in a field that is known, nor in one that is not, nor in a field's name, however it is broken."""
    for text in (b'"anchor": "%b"', b'"x": "%b"', b'"x": {"y": ["%b"]}', b'"%b": 1'):
        for broken in (b"caf\xe9", b"\xed\xa0\xbd", b"\xc0\xaf", b"\xf5\x80\x80\x80", b"\xe2\x82"):
            with pytest.raises(Rejected) as rejection:
                codec.links.decode(
                    b'{"url_from": "https://a.ex/", "url_to": "https://b.ex/", %b}' % text.replace(b"%b", broken)
                )
            assert rejection.value.reason == Reason.INVALID_JSON


def _decode_or_reject(value: bytes | None) -> None:
    with suppress(Rejected):
        event = codec.links.decode(value)
        assert codec.links.decode(codec.links.encode(event)) == event


def test_deep_nesting_is_rejected() -> None:
    """JSON that is nested deeper than the stack is invalid, not a crash."""
    nested = b'{"url_from": "https://a.example/", "url_to": "https://b.example/", "x": %b%b}' % (
        b"[" * 9_000,
        b"]" * 9_000,
    )
    with pytest.raises(Rejected) as rejection:
        codec.links.decode(nested)
    assert rejection.value.reason == Reason.INVALID_JSON


@pytest.mark.parametrize(("spaces", "is_taken"), [(0, True), (1, False)])
def test_record_size_limit_is_exact(spaces: int, is_taken: bool) -> None:
    """A record of exactly the limit is taken, one of a byte more is too long."""
    event = b'{"url_from": "https://a.example/", "url_to": "https://b.example/"}'
    record = event + b" " * (RECORD_BYTES_MAX - len(event) + spaces)
    if is_taken:
        codec.links.decode(record)
        return
    with pytest.raises(Rejected) as rejection:
        codec.links.decode(record)
    assert rejection.value.reason == Reason.TOO_LONG
