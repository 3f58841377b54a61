"""Adds a source to records that name none."""

from typing import Final

import msgspec

from flatline.schema.codec import JSON_ERRORS
from flatline.schema.limits import RECORD_BYTES_MAX
from flatline.schema.rejection import Reason, Rejected

# Raw values: what a producer wrote in fields that we don't know stays as it was written.
_decode_fields: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def with_source(value: bytes, source: str) -> bytes:
    """Return a record with the source that it lacks; raise `Rejected`."""
    try:
        fields = _decode_fields(value)
    except JSON_ERRORS as error:  # in a field that we don't know
        raise Rejected(Reason.INVALID_JSON, str(error)) from None
    fields["source"] = msgspec.Raw(msgspec.json.encode(source))
    value = msgspec.json.encode(fields)
    if len(value) > RECORD_BYTES_MAX:
        detail = f"the record has {len(value)} bytes with its source; the limit is {RECORD_BYTES_MAX}"
        raise Rejected(Reason.TOO_LONG, detail)
    return value
