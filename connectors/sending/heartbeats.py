"""Heartbeats on their way to Kafka: checked, completed, and keyed by their source."""

from collections.abc import Callable
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from flatline.domain.time import to_datetime
from flatline.domain.visibility.clamped_heartbeat import clamped
from flatline.schema import codec
from flatline.schema.codec import JSON_ERRORS
from flatline.schema.heartbeat import Heartbeat
from flatline.schema.limits import RECORD_BYTES_MAX

_NULL: Final = b"null"
_decode_fields: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class PreparedHeartbeat(NamedTuple):
    """A heartbeat that can be sent: its source as the key, the bytes to send, and what they say."""

    key: bytes
    value: bytes
    record: Heartbeat


def prepare(value: bytes, *, default_source: str, now_ms: int, period_of: Callable[[str], float]) -> PreparedHeartbeat:
    """Check one heartbeat and return it with its key; raise `Rejected` and nothing else.

    ``source`` and ``sent_at`` may be left out: then they are ``default_source`` and now. A ``period_s`` that is left
    out is that of ``period_of`` its source; null says that the source has finished. No time lies after ``now_ms``.
    """
    fields = _fields(value)
    heartbeat = codec.heartbeats.decode(
        _with_defaults(fields, {"source": default_source, "sent_at": to_datetime(now_ms)}) if fields else value
    )
    if "period_s" not in fields:
        heartbeat = msgspec.structs.replace(heartbeat, period_s=period_of(heartbeat.source))
    return checked(clamped(heartbeat, recorded_ms=now_ms))


def checked(heartbeat: Heartbeat) -> PreparedHeartbeat:
    """Return a heartbeat as it can be sent; raise `Rejected` if it is not within the contract's bounds."""
    value = codec.heartbeats.encode(heartbeat)
    return PreparedHeartbeat(heartbeat.source.encode(), value, codec.heartbeats.decode(value))


def _fields(value: bytes) -> dict[str, msgspec.Raw]:
    """Return the fields as they were written; none of what can't be a heartbeat: decoding it says why."""
    if len(value) > RECORD_BYTES_MAX:
        return {}
    try:
        return _decode_fields(value)
    except JSON_ERRORS:
        return {}


def _with_defaults(fields: dict[str, msgspec.Raw], defaults: dict[str, str | datetime]) -> bytes:
    missing = {name: default for name, default in defaults.items() if bytes(fields.get(name, _NULL)) == _NULL}
    return msgspec.json.encode({**fields, **missing})
