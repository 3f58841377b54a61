import asyncio
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import aiohttp
import pytest

from flatline.demo.slack_receiver import (
    ATTACHMENTS_MAX,
    BUTTON_CHARACTERS_MAX,
    TEXT_CHARACTERS_MAX,
    URL_CHARACTERS_MAX,
    Message,
    SlackReceiver,
    plain_text,
)


@pytest.fixture
async def receiver() -> AsyncIterator[SlackReceiver]:
    """Return a receiver whose clock counts from 0, a millisecond a look."""
    async with SlackReceiver(now_ms=count().__next__) as entered:
        yield entered


async def post(
    receiver: SlackReceiver, body: bytes | dict[str, Any], kind: str = "application/json"
) -> tuple[int, str]:
    """Return the status and the body of the answer."""
    sent: dict[str, Any] = {"json": body} if isinstance(body, dict) else {"data": body}
    async with (
        aiohttp.ClientSession(headers={"Content-Type": kind}) as client,
        client.post(receiver.url, **sent) as got,
    ):
        return got.status, await got.text()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"null",
        b'"text"',
        b'{"text": 1}',
        b'{"attachments": {}}',
        b'{"attachments": ["text"]}',
        b'{"attachments": [{"title": 1}]}',
    ],
)
async def test_what_is_no_payload_is_refused(receiver: SlackReceiver, body: bytes) -> None:
    """Anything but an object with the parts of a message is an invalid payload, and no message."""
    assert await post(receiver, body) == (400, "invalid_payload")
    assert receiver.messages == receiver.violations == []


async def test_the_content_type_has_to_be_json(receiver: SlackReceiver) -> None:
    """A body that doesn't match its content type can't be understood."""
    assert await post(receiver, b'{"text": "a"}', kind="text/plain") == (400, "invalid_payload")


@pytest.mark.parametrize("payload", [{}, {"channel": "#a"}, {"text": ""}, {"text": "", "attachments": []}])
async def test_an_empty_message_is_refused(receiver: SlackReceiver, payload: dict[str, Any]) -> None:
    """A message needs text, blocks or attachments."""
    assert await post(receiver, payload) == (400, "no_text")


@pytest.mark.parametrize(
    "payload", [{"text": "a"}, {"blocks": [{"type": "divider"}]}, {"attachments": [{"text": "a"}]}]
)
async def test_any_part_makes_a_message(receiver: SlackReceiver, payload: dict[str, Any]) -> None:
    """Text, blocks or attachments alone are taken, and kept as they came."""
    assert await post(receiver, payload) == (200, "ok")
    assert receiver.messages == [Message(payload, arrived_ms=0)]


async def test_the_number_of_attachments_is_limited(receiver: SlackReceiver) -> None:
    """A hundred are taken, one more is too many."""
    assert await post(receiver, {"attachments": [{"text": "a"}] * ATTACHMENTS_MAX}) == (200, "ok")
    refused = await post(receiver, {"attachments": [{"text": "a"}] * (ATTACHMENTS_MAX + 1)})
    assert refused == (400, "too_many_attachments")


async def test_a_text_that_slack_would_cut_is_a_violation(receiver: SlackReceiver) -> None:
    """The limit is counted in characters, wherever the text stands."""
    assert await post(receiver, {"text": "é" * TEXT_CHARACTERS_MAX}) == (200, "ok")
    status, _ = await post(receiver, {"attachments": [{"text": "é" * (TEXT_CHARACTERS_MAX + 1)}]})
    assert status == 400
    assert [violation.violation for violation in receiver.violations] == [
        "a text has 40001 characters, and Slack shows 40000"
    ]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("see <!channel>", "<!channel>"),
        ("<!here|here>", "<!here|here>"),
        ("<!subteam^S1>", "<!subteam^S1>"),
        ("<@U012AB3CD>", "<@U012AB3CD>"),
        ("<#C012AB3CD>", "<#C012AB3CD>"),
        ("<script>", "<script>"),
        ("<javascript:alert(1)|a>", "<javascript:alert(1)|a>"),
        ("<https://a.example/|<!channel>>", "<"),
        ("a < b", "<"),
        ("> quoted", ">"),
        ("Q&A", "&"),
        ("&copy;", "&"),
    ],
)
@pytest.mark.parametrize("place", ["text", "title", "fallback", "block"])
async def test_what_is_not_escaped_is_a_violation(receiver: SlackReceiver, text: str, named: str, place: str) -> None:
    """Whatever Slack would parse is refused and recorded, wherever in a message it stands; links alone may do so."""
    if place == "text":
        payload: dict[str, Any] = {"text": text}
    elif place == "block":
        payload = {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]}
    else:
        payload = {"attachments": [{"text": "fine", place: text}]}
    assert await post(receiver, payload) == (400, "invalid_payload")
    assert receiver.messages == []
    assert [violation.violation for violation in receiver.violations] == [f"{named!r} is not escaped"]


async def test_links_and_escaped_text_are_taken(receiver: SlackReceiver) -> None:
    """Links with and without a label, entities, and URLs in the fields that hold one."""
    payload = {
        "text": "<https://a.example/?b&c> <https://a.example/|a&amp;b> <mailto:a@b.example|us> &lt;!channel&gt; *b*",
        "attachments": [
            {"text": "a", "title_link": "https://a.example/?b&c", "actions": [{"text": "b", "url": "https://a/?b&c"}]}
        ],
    }
    assert await post(receiver, payload) == (200, "ok")


async def test_only_the_webhook_is_there(receiver: SlackReceiver) -> None:
    """Another path or method is not a webhook."""
    async with aiohttp.ClientSession() as client:
        async with client.get(receiver.url) as answer:
            assert answer.status == 405
        async with client.post(f"{receiver.url}x", json={"text": "a"}) as answer:
            assert answer.status == 404


async def test_arrivals_come_in_order_each_with_its_time(receiver: SlackReceiver) -> None:
    """Whoever listens gets what came before and what comes while it waits; refused messages are none."""
    await post(receiver, {"text": "a"})
    arrivals = receiver.arrivals()
    assert await anext(arrivals) == Message({"text": "a"}, arrived_ms=0)
    waiting = asyncio.ensure_future(anext(arrivals))
    await post(receiver, {"text": "<!here>"})
    await post(receiver, {"text": "b"})
    assert await waiting == Message({"text": "b"}, arrived_ms=2)


def test_plain_text_reads_as_in_slack() -> None:
    """Entities and links are resolved, empty parts left out, and buttons shown with where they lead."""
    payload = {
        "text": "Hello",
        "attachments": [
            {
                "title": "Q&amp;A &lt;!channel&gt;",
                "text": "one\ntwo <https://a.example/|there> <https://b.example/>\n",
                "footer": "",
                "actions": [{"type": "button", "text": "What to do", "url": "https://c.example/"}],
            }
        ],
    }
    assert plain_text(Message(payload, arrived_ms=0)).split("\n") == [
        "Hello",
        "Q&A <!channel>",
        "one",
        "two there (https://a.example/) https://b.example/",
        "What to do: https://c.example/",
    ]


def test_plain_text_leaves_a_terminal_alone() -> None:
    """Escape sequences lose their escape, and nothing turns the direction of what follows."""
    hostile = "a\x1b[31mb\x9bc\rd\x00e\u202ef\u2066g\u2028h\x7fi"
    assert plain_text(Message({"text": hostile}, arrived_ms=0)) == "a[31mbcdefghi"


@pytest.mark.parametrize(
    ("attachment", "says"),
    [
        ({"title_link": "javascript:alert(1)"}, "a title leads to 'javascript:alert(1)'"),
        ({"actions": [{"text": "a", "url": "https://a.example/ b"}]}, "a button leads to 'https://a.example/ b'"),
        ({"actions": [{"text": "a", "url": f"https://a.example/{'b' * URL_CHARACTERS_MAX}"}]}, "a button leads to"),
        ({"actions": [{"text": "", "url": "https://a.example/"}]}, "a button has 0 characters"),
        (
            {"actions": [{"text": "a" * (BUTTON_CHARACTERS_MAX + 1), "url": "https://a.example/"}]},
            "a button has 76 characters",
        ),
        ({"actions": [{"text": "a", "url": "https://a.example/"}] * 6}, "there are 6 buttons"),
    ],
)
async def test_broken_links_and_buttons_are_violations(
    receiver: SlackReceiver, attachment: dict[str, Any], says: str
) -> None:
    """What can be clicked has to lead somewhere, and there is not too much of it."""
    assert await post(receiver, {"attachments": [{"text": "fine"} | attachment]}) == (400, "invalid_payload")
    (violation,) = receiver.violations
    assert violation.violation
    assert violation.violation.startswith(says)
