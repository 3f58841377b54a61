"""A dead letter: the record's bytes, with headers that say what was wrong and where it came from."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from flatline.schema.rejection import Rejected
from flatline.schema.topics import MESSAGE_BYTES_MAX

Headers = list[tuple[str, bytes]]

VALUE_BYTES_MAX: Final = MESSAGE_BYTES_MAX
"""What came uncompressed is never cut. In a compressed batch a record can have any size."""

KEY_BYTES_MAX: Final = 65_536
CUT_HEADER: Final = "cut_at_bytes"
RESENDS_HEADER: Final = "resends"
BY_HEADER: Final = "by"
_WORD_CHARACTERS_MAX: Final = 500


class DeadLetter(NamedTuple):
    """A record for the dead-letter topic. Its own time is that at which it is written: retention goes by that."""

    key: bytes | None
    value: bytes
    headers: Headers


def dead_letter(
    rejected: Rejected, *, origin: Mapping[str, str | int], key: bytes | None = None, value: bytes | None
) -> DeadLetter:
    """Return the dead letter of a record: its key and value, and headers ``reason``, ``detail`` and its ``origin``.

    A record that was in Kafka has ``topic``, ``partition``, ``offset`` and ``timestamp_ms`` there; one that never was
    has ``file`` and ``line``, or ``source``, ``request_id`` and ``http_index``. It always fits the dead-letter topic:
    of a key or value that is too large the beginning is kept, and ``key_cut_at_bytes`` or ``cut_at_bytes`` says so.
    """
    words: dict[str, str | int] = {"reason": rejected.reason.value, "detail": rejected.detail, **origin}
    if key is not None and len(key) > KEY_BYTES_MAX:
        key, words["key_cut_at_bytes"] = key[:KEY_BYTES_MAX], KEY_BYTES_MAX
    value = value or b""
    if len(value) > VALUE_BYTES_MAX:
        value, words[CUT_HEADER] = value[:VALUE_BYTES_MAX], VALUE_BYTES_MAX
    return DeadLetter(key, value, [(name, _header(word)) for name, word in words.items()])


def resent(offset: int, *, by: str | None) -> Headers:
    """Return the headers of a record that says of the dead letter at an offset that it was sent again, by whom."""
    words: dict[str, str | int] = {RESENDS_HEADER: offset} | ({} if by is None else {BY_HEADER: by})
    return [(name, _header(word)) for name, word in words.items()]


def _header(word: str | int) -> bytes:
    return str(word)[:_WORD_CHARACTERS_MAX].encode(errors="replace")
