"""Receives incoming webhooks on this machine in the place of Slack, for the demo and for tests."""

import asyncio
import re
import unicodedata
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from html import unescape
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self

import msgspec
from aiohttp import web

from flatline.clock import WallClock

ATTACHMENTS_MAX = 100
# https://docs.slack.dev/changelog/2018-04-truncating-really-long-messages: Slack cuts what is longer.
TEXT_CHARACTERS_MAX = 40_000
# https://docs.slack.dev/legacy/legacy-messaging/legacy-message-buttons: no more are shown.
ACTIONS_MAX = 5
# https://docs.slack.dev/reference/block-kit/block-elements/button-element
BUTTON_CHARACTERS_MAX = 75
URL_CHARACTERS_MAX = 3_000

_PATH = "/services/T00000000/B00000000/demo"
_LINK = re.compile(r"<(?P<url>(?:https?://|mailto:)[^\s<>|]+)(?:\|(?P<label>[^<>|]*))?>")
_URL = re.compile(r"https?://[^\s<>\"\x00-\x20\x7f-\uffff]+")
_UNESCAPED = re.compile(r"<[^<>]*>|[<>]|&(?!(?:amp|lt|gt);)")
# These hold a URL or a name and are not parsed as text.
_NO_TEXT = frozenset({"title_link", "url", "image_url", "thumb_url", "icon_url", "callback_id"})
# Nothing that moves a terminal's cursor, colours it, or turns the direction of its text.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

_WALL_CLOCK: Final = WallClock()


class _Action(msgspec.Struct):
    text: str = ""
    url: str = ""


class _Attachment(msgspec.Struct):
    pretext: str = ""
    title: str = ""
    title_link: str = ""
    text: str = ""
    footer: str = ""
    actions: list[_Action] = []


class _Post(msgspec.Struct):
    """The part of a payload that is read; the rest may be anything."""

    text: str = ""
    blocks: list[Any] = []
    attachments: list[_Attachment] = []


@dataclass(frozen=True)
class Message:
    """A decoded message and the time of its arrival. ``violation`` says why it was rejected, if it was."""

    payload: dict[str, Any]
    arrived_ms: int
    violation: str | None = None


class SlackReceiver:
    """Answers on 127.0.0.1 as Slack documents for incoming webhooks, from `async with` to the end of its body.

    https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors. It is stricter than Slack
    in one thing: it rejects text that is not escaped, or that Slack would cut, so that tests notice it.

    ``messages``     the accepted ones, in the order of their arrival
    ``violations``   the rejected ones
    """

    def __init__(self, *, port: int = 0, now_ms: Callable[[], int] = _WALL_CLOCK.now_ms) -> None:
        """``port`` 0 takes a free one."""
        self.messages: list[Message] = []
        self.violations: list[Message] = []
        self._port = port
        self._now_ms = now_ms
        self._arrived = asyncio.Condition()
        application = web.Application()
        application.router.add_post(_PATH, self._post)
        self._runner = web.AppRunner(application, access_log=None)

    @property
    def url(self) -> str:
        """The webhook, once the receiver is entered."""
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}{_PATH}"

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def arrivals(self, *, after: int = 0) -> AsyncIterator[Message]:
        """Yield every accepted message after the first ``after``, as they arrive, without end."""
        seen = after
        while True:
            async with self._arrived:
                while len(self.messages) == seen:
                    await self._arrived.wait()
            yield self.messages[seen]
            seen += 1

    async def _post(self, request: web.Request) -> web.Response:
        try:
            payload = msgspec.json.decode(await request.read())
            post = msgspec.convert(payload, _Post)
        except msgspec.DecodeError:
            return _refused("invalid_payload")
        if request.content_type != "application/json":
            return _refused("invalid_payload")
        if not (post.text or post.blocks or post.attachments):
            return _refused("no_text")
        if len(post.attachments) > ATTACHMENTS_MAX:
            return _refused("too_many_attachments")
        message = Message(payload, self._now_ms(), _violation(payload))
        async with self._arrived:
            (self.violations if message.violation else self.messages).append(message)
            self._arrived.notify_all()
        return _refused("invalid_payload") if message.violation else web.Response(text="ok")


def _refused(reason: str) -> web.Response:
    return web.Response(status=HTTPStatus.BAD_REQUEST, text=reason)


def _violation(payload: dict[str, Any]) -> str | None:
    for broken in map(_broken_links, msgspec.convert(payload, _Post).attachments):
        if said := next(broken, None):
            return said
    for text in _texts(payload):
        if len(text) > TEXT_CHARACTERS_MAX:
            return f"a text has {len(text)} characters, and Slack shows {TEXT_CHARACTERS_MAX}"
        if found := _UNESCAPED.search(_LINK.sub("", text)):
            return f"{found[0]!r} is not escaped"
    return None


def _broken_links(attachment: _Attachment) -> Iterator[str]:
    """Yield what is wrong with links and buttons."""
    if attachment.title_link and not _is_url(attachment.title_link):
        yield f"a title leads to {attachment.title_link[:100]!r}"
    if len(attachment.actions) > ACTIONS_MAX:
        yield f"there are {len(attachment.actions)} buttons, and Slack shows {ACTIONS_MAX}"
    for action in attachment.actions:
        if not 0 < len(action.text) <= BUTTON_CHARACTERS_MAX:
            yield f"a button has {len(action.text)} characters"
        if not _is_url(action.url):
            yield f"a button leads to {action.url[:100]!r}"


def _is_url(text: str) -> bool:
    return len(text) <= URL_CHARACTERS_MAX and _URL.fullmatch(text) is not None


def _texts(part: object) -> Iterator[str]:
    """Yield all text that Slack parses, at any depth."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, list):
        for element in part:
            yield from _texts(element)
    elif isinstance(part, dict):
        for name, element in part.items():
            if name not in _NO_TEXT:
                yield from _texts(element)


def plain_text(message: Message) -> str:
    """Return the text and the attachments of a message as Slack shows them, as lines for a terminal.

    Blocks are left out, and so are control characters from outside.
    """
    post = msgspec.convert(message.payload, _Post)
    parts = [post.text]
    for attachment in post.attachments:
        parts += [attachment.pretext, attachment.title, attachment.text, attachment.footer]
        parts += [f"{action.text}: {action.url}" for action in attachment.actions]
    lines = "\n".join(map(_readable, parts)).split("\n")
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _readable(text: str) -> str:
    linked = _LINK.sub(lambda link: f"{link['label']} ({link['url']})" if link["label"] else link["url"], text)
    return "".join(
        character
        for character in unescape(linked)
        if character == "\n" or unicodedata.category(character) not in _UNPRINTABLE
    )
