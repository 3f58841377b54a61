"""Connections on which a server says something again and again: server-sent events, and websockets."""

from collections import deque
from typing import Final, Protocol

import aiohttp

from flatline_connectors.fetching.outcomes import Failed, Outcome
from flatline_connectors.fetching.sse import EventParser, Message

MESSAGE_BYTES_MAX: Final = 4 << 20


class Connection(Protocol):
    """What a server says, message by message. Waiting may be cancelled, and goes on later: nothing is lost."""

    async def next(self) -> Message | None:
        """Return the next message; None when the server has ended the connection. Raise `Failed`.

        A message of a websocket has no id.
        """


class EventConnection:
    """Server-sent events."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._content = response.content
        self._parser = EventParser()
        self._events: deque[Message] = deque()

    async def next(self) -> Message | None:
        """As of `Connection`. What is cut off by the end is no event."""
        while not self._events:
            try:
                chunk = await self._content.readany()
            except (aiohttp.ClientError, OSError, ValueError):
                return None  # cut off: whoever asks again goes on after the last event
            if not chunk:
                return None
            self._events.extend(self._parser.feed(chunk))
        return self._events.popleft()


class SocketConnection:
    """A websocket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def next(self) -> Message | None:
        """As of `Connection`."""
        message = await self._socket.receive()
        match message.type:
            case aiohttp.WSMsgType.TEXT:
                return Message(message.data)
            case aiohttp.WSMsgType.BINARY:
                raise Failed(Outcome.WRONG_TYPE, "a message that is no text")
            case _ if self._socket.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG:
                raise Failed(Outcome.TOO_LARGE, f"a message of more than {MESSAGE_BYTES_MAX:,} bytes")
            case _:
                return None
