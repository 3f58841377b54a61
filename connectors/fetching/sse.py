"""Server-sent events, as the HTML standard defines them (§9.2.6): bytes in, events out."""

import re
from typing import Final, NamedTuple

from flatline_connectors.fetching.outcomes import Failed, Outcome

EVENT_BYTES_MAX: Final = 4 << 20
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")


class Message(NamedTuple):
    """What a server said, and the id to go on after (empty: it gave none)."""

    data: str
    id: str = ""


class EventParser:
    """Splits a stream into events. A chunk may end anywhere, in the middle of a character too."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[str] = []
        self._data_bytes = 0
        self._id = ""
        self._is_first = True

    def feed(self, chunk: bytes) -> list[Message]:
        """Return the events that end in a chunk. Raise `Failed` (too_large)."""
        self._rest += chunk
        if self._is_first and len(self._rest) >= len(b"\xef\xbb\xbf"):
            self._rest = self._rest.removeprefix(b"\xef\xbb\xbf")
            self._is_first = False
        *lines, self._rest = _LINE_END.split(self._rest)
        if self._rest == b"" and chunk.endswith(b"\r"):
            # The line feed of a pair may come with the next chunk, where it would end an empty line.
            self._rest = lines.pop() + b"\r"
        events = [event for line in lines if (event := self._line(line)) is not None]
        if self._data_bytes + len(self._rest) > EVENT_BYTES_MAX:
            raise Failed(Outcome.TOO_LARGE, f"an event of more than {EVENT_BYTES_MAX:,} bytes")
        return events

    def _line(self, line: bytes) -> Message | None:
        if not line:
            data, self._data, self._data_bytes = self._data, [], 0
            return Message("\n".join(data), self._id) if data else None
        name, _, value = line.partition(b":")
        text = value.removeprefix(b" ").decode("utf-8", "replace")
        if name == b"data":
            self._data.append(text)
            self._data_bytes += len(line)
        elif name == b"id" and "\0" not in text:
            self._id = text
        return None
