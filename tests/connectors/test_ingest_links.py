"""POST /v1/links: what is taken, what is rejected, and what becomes of it."""

import gzip
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.schema.dead_letter import VALUE_BYTES_MAX
from tests.connectors.examples import ACCEPTED, REJECTED, SOURCES, key_of, link
from tests.connectors.pushing import JSON, NDJSON, SOURCE, RunningIngest
from tests.examples import examples
from tests.integration.reading import Stored, read_all

EVENTS = list(ACCEPTED.values())


def with_source(event: bytes) -> dict[str, object]:
    """Return what the ingest makes of an event: its token's source, unless it has one."""
    fields: dict[str, object] = msgspec.json.decode(event)
    return {**fields, "source": fields.get("source") or SOURCE}


class NewRecords:
    """What has been added to the topics since it was made."""

    def __init__(self, ingest: RunningIngest, bootstrap: str) -> None:
        self._ingest, self._bootstrap = ingest, bootstrap
        self._seen = {(topic, r.partition, r.offset) for topic in ("links", "dead_letters") for r in self._all(topic)}

    def _all(self, topic: str) -> list[Stored]:
        return read_all(self._bootstrap, getattr(self._ingest.topics, topic))

    def of(self, topic: str) -> list[Stored]:
        """Return them."""
        return [record for record in self._all(topic) if (topic, record.partition, record.offset) not in self._seen]


@pytest.fixture
def new(ingest: RunningIngest, kafka_bootstrap: str) -> NewRecords:
    """Return what the test adds to the topics."""
    return NewRecords(ingest, kafka_bootstrap)


@pytest.mark.parametrize("shape", ["objects", "array", "ndjson"])
@pytest.mark.parametrize("is_packed", [False, True], ids=["plain", "gzip"])
def test_every_accepted_example(ingest: RunningIngest, new: NewRecords, shape: str, is_packed: bool) -> None:
    """Each accepted example lands under its key in every form; only a missing source is added, nothing else changes."""
    bodies = {"objects": EVENTS, "array": [b"[" + b" ,\n".join(EVENTS) + b"]"], "ndjson": [b"\r\n\n".join(EVENTS)]}[
        shape
    ]
    for body in bodies:
        headers = {"Content-Encoding": "gzip"} if is_packed else {}
        content = gzip.compress(body) if is_packed else body
        answer = ingest.push(content, NDJSON if shape == "ndjson" else f"{JSON}; charset=utf-8", **headers)
        assert (answer.status, answer.body) == (200, {"accepted": len(EVENTS) // len(bodies), "rejected": []})
    stored = new.of("links")
    assert sorted(record.key or b"" for record in stored) == sorted(map(key_of, EVENTS))
    decoded = [msgspec.json.decode(record.value or b"") for record in stored]
    assert sorted(decoded, key=str) == sorted(map(with_source, EVENTS), key=str)
    untouched = {event for event in EVENTS if b'"source":"' in event}
    assert untouched
    assert untouched <= {record.value for record in stored}
    assert new.of("dead_letters") == []


def test_every_rejected_example(ingest: RunningIngest, new: NewRecords) -> None:
    """Of a batch the rejected events are named by index and reason and lie, untouched, in the dead-letter topic."""
    # NDJSON takes everything but what looks like no line at all.
    lines = {name: event for name, event in REJECTED.items() if event.strip()}
    good = link("https://a.example/", "https://b.example/")
    answer = ingest.push(b"\n".join([good, *lines.values(), good]), NDJSON)
    assert (answer.status, answer.body["accepted"]) == (200, 2)
    reasons = [(event["index"], event["reason"]) for event in answer.body["rejected"]]
    assert reasons == [(index, name.split(".")[0]) for index, name in enumerate(lines, start=1)]
    letters = new.of("dead_letters")
    assert [letter.value for letter in letters] == list(lines.values())
    for letter, event in zip(letters, answer.body["rejected"], strict=True):
        assert letter.headers == {
            "reason": event["reason"],
            "detail": event["detail"],
            "source": SOURCE,
            "request_id": answer.headers["X-Request-Id"],
            "http_index": str(event["index"]),
        }
    assert len(new.of("links")) == 2


def test_a_bad_event_in_an_array_takes_no_other_with_it(ingest: RunningIngest, new: NewRecords) -> None:
    """Half a surrogate pair, as JavaScript writes it that cuts text; bytes that are no text; what is no JSON at all."""
    good = [link(f"https://p{number}.example/", "https://yours.example/poison") for number in range(6)]
    bad = [
        b'{"url_from":"https://p.example/","url_to":"https://yours.example/","anchor":"nice \\ud83d"}',
        b'{"url_from":"https://p.example/","url_to":"https://yours.example/","anchor":"nice \xf0\x9f"}',
        b"nonsense",
        b'{"x":' + b"[" * 2_000 + b"]" * 2_000 + b"}",
        b"",
    ]
    mixed = [each for pair in zip(good, [*bad, b""], strict=True) for each in pair][:-1]
    answer = ingest.push(b"[" + b", ".join(mixed) + b"]")
    assert (answer.status, answer.body["accepted"]) == (200, len(good))
    assert [event["index"] for event in answer.body["rejected"]] == [1, 3, 5, 7, 9]
    assert [event["reason"] for event in answer.body["rejected"]] == ["invalid_json"] * 4 + ["empty"]
    assert sorted(letter.value or b"" for letter in new.of("dead_letters")) == sorted(bad)
    assert len(new.of("links")) == len(good)


def test_events_of_a_source_that_the_token_is_not_granted(ingest: RunningIngest, new: NewRecords) -> None:
    """They are rejected with index and reason, and lie in the dead-letter topic; the others are taken."""
    events = [
        link("https://a.example/", "https://b.example/", source=source)
        for source in (SOURCE, "somebody-else", SOURCES[0], f"{SOURCE}-2")
    ]
    answer = ingest.push(b"[" + b",".join(events) + b"]")
    assert (answer.status, answer.body["accepted"]) == (200, 2)
    assert [(event["index"], event["reason"]) for event in answer.body["rejected"]] == [
        (1, "foreign_source"),
        (3, "foreign_source"),
    ]
    assert "somebody-else" in answer.body["rejected"][0]["detail"]
    assert [letter.value for letter in new.of("dead_letters")] == [events[1], events[3]]
    assert sorted(record.value or b"" for record in new.of("links")) == sorted([events[0], events[2]])


@pytest.mark.parametrize("event", [b"42", b"{}", b' {"url_from": "x", "url_to": "y"}\n'])
@pytest.mark.parametrize("form", ["%b", "[%b]", "[%b,%b]"])
def test_a_batch_without_a_single_event_that_can_be_taken(ingest: RunningIngest, event: bytes, form: str) -> None:
    """All rejected is 422, with the same body as a batch of which some are."""
    body = form.encode().replace(b"%b", event)
    answer = ingest.push(body)
    assert answer.status == 422
    assert answer.body["accepted"] == 0
    assert [event["index"] for event in answer.body["rejected"]] == list(range(form.count("%b")))


def test_an_event_that_is_too_large_for_any_topic(ingest: RunningIngest, new: NewRecords) -> None:
    """It is rejected like every other one, and its beginning is kept."""
    event = link("https://a.example/", "https://b.example/", context="x" * 2_000_000)
    assert ingest.push(event).body["rejected"][0]["reason"] == "too_long"
    (letter,) = new.of("dead_letters")
    assert letter.value == event[:VALUE_BYTES_MAX]


def test_a_source_that_makes_an_event_too_long(ingest: RunningIngest, new: NewRecords) -> None:
    """An event that fits without its source, and not with it, is rejected here, not by the worker."""
    event = link("https://a.example/", "https://b.example/", unknown="")
    event = event.replace(b'"unknown":""', b'"unknown":"%b"' % (b"x" * (65_536 - len(event))))
    assert len(event) == 65_536
    answer = ingest.push(event)
    assert (answer.status, answer.body["rejected"][0]["reason"]) == (422, "too_long")
    assert [letter.value for letter in new.of("dead_letters")] == [event]


@pytest.mark.parametrize(("body", "content_type"), [(b"[]", JSON), (b"", NDJSON), (b"\n\r\n  \n", NDJSON)])
def test_an_empty_batch_is_a_batch(ingest: RunningIngest, body: bytes, content_type: str) -> None:
    """Nothing to take is nothing wrong."""
    answer = ingest.push(body, content_type)
    assert (answer.status, answer.body) == (200, {"accepted": 0, "rejected": []})


deep = st.integers(1, 3000).map(
    lambda depth: b'{"url_from":"https://a.example/","x":' + b"[" * depth + b"]" * depth + b"}"
)
event_like = st.dictionaries(
    st.sampled_from(["url_from", "url_to", "source", "rel", "page", "é"]),
    st.none() | st.text() | st.just("https://a.example/") | st.integers() | st.lists(st.text()),
).map(lambda fields: json.dumps(fields).encode())
odd_keys = st.binary(max_size=4).map(
    lambda key: b'{"url_from":"https://a.example/","url_to":"https://b.example/","%b":1}' % key
)
events = event_like | odd_keys | deep | st.binary(max_size=60)
bodies = events | st.lists(events).map(b"\n".join) | st.lists(events).map(lambda some: b"[" + b",".join(some) + b"]")


@given(
    body=bodies, content_type=st.sampled_from([JSON, NDJSON]), encoding=st.sampled_from(["", "gzip", "identity", "br"])
)
@examples(150)
def test_no_body_is_a_bug(ingest: RunningIngest, body: bytes, content_type: str, encoding: str) -> None:
    """Whatever is sent, the answer is a batch's or an error's, and never "internal"."""
    headers = {"Content-Encoding": encoding} if encoding else {}
    for content in (body, gzip.compress(body)) if encoding == "gzip" else (body,):
        answer = ingest.push(content, content_type, **headers)
        assert answer.status in {200, 400, 415, 422}
        if answer.status in {200, 422}:
            assert set(answer.body) == {"accepted", "rejected"}
        else:
            assert answer.code in {"bad_json", "bad_gzip", "unsupported_encoding"}
