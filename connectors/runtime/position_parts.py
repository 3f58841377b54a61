"""Positions in several records: one may hold more than Kafka takes in a record, of which a poll changes little."""

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec.structs import replace

from flatline.schema.connector_record import ConnectorPosition

_fields_of: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def split(position: ConnectorPosition, field: str | None) -> list[ConnectorPosition]:
    """Return a position with the values of one field of its state, an object, in records of their own.

    The first record is the position without them; None: it is the only one.
    """
    if field is None:
        return [position]
    fields = _fields_of(position.state)
    if field not in fields:
        return [position]
    parts = _fields_of(fields.pop(field))
    whole = replace(position, state=msgspec.Raw(msgspec.json.encode(fields)))
    return [whole, *(replace(position, state=value, part=(field, name)) for name, value in parts.items())]


def joined(position: ConnectorPosition, parts: Iterable[ConnectorPosition]) -> ConnectorPosition:
    """Return a position with its parts. A record of a position that was not split holds some itself."""
    by_field: dict[str, dict[str, msgspec.Raw]] = {}
    for each in parts:
        if each.part is not None:
            field, name = each.part
            by_field.setdefault(field, {})[name] = each.state
    if not by_field:
        return position
    fields = _fields_of(position.state)
    for field, values in by_field.items():
        fields[field] = msgspec.Raw(msgspec.json.encode(_fields_of(fields.get(field, msgspec.Raw(b"{}"))) | values))
    return replace(position, state=msgspec.Raw(msgspec.json.encode(fields)))
