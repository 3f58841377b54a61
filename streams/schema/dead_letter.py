"""A dead letter: the record's untouched bytes, with headers that say what was wrong and where it came from."""

from streams.schema.rejection import Rejected

Headers = list[tuple[str, bytes]]

_DETAIL_CHARACTERS_MAX = 500


def headers(rejected: Rejected, *, origin: dict[str, str | int]) -> Headers:
    """Return the headers: ``reason``, ``detail`` and the coordinates in ``origin``.

    A record that was in Kafka has ``topic``, ``partition``, ``offset`` and ``timestamp_ms``; one that never was has
    ``file`` and ``line``, or ``http_index``.
    """
    words = {"reason": rejected.reason.value, "detail": rejected.detail[:_DETAIL_CHARACTERS_MAX], **origin}
    return [(name, str(word).encode(errors="replace")) for name, word in words.items()]
