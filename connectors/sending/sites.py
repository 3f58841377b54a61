"""Site records on their way to Kafka: checked, and keyed by their canonical domain."""

import re
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

import msgspec

from flatline.domain.sites import checked
from flatline.schema import codec
from flatline.schema.rejection import Reason, Rejected
from flatline.schema.site_record import SiteRecord
from flatline_connectors.files.tables import Table

_BETWEEN_RULES: Final = re.compile(r"\s*;\s*")
_LISTS: Final = frozenset({"aliases", "ignored_parameters", "listings"})


class PreparedSite(NamedTuple):
    """A site record that can be sent: its key, the bytes to send, and what they say."""

    key: bytes
    value: bytes
    record: SiteRecord


def prepare(value: bytes) -> PreparedSite:
    """Check one site record and return it with its key; raise `Rejected` and nothing else."""
    record = checked(codec.sites.decode(value))
    if record.time_zone is not None and not _is_time_zone(record.time_zone):
        raise Rejected(Reason.INVALID_VALUE, f"time_zone: {record.time_zone} is no time zone, such as Europe/Paris")
    return PreparedSite(record.domain.encode(), codec.sites.encode(record), record)


def _is_time_zone(name: str) -> bool:
    """Whether this machine knows a time zone; one without a database of them knows nothing better."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return not available_timezones()
    return True


def from_texts(texts: dict[str, str]) -> bytes:
    """Return the record, as JSON, that a person's texts describe: empty ones are left out.

    Lists are separated by spaces, and rules for series by semicolons: ``/guides=Guides; /notes=Field notes``.
    """
    fields: dict[str, object] = {name: text.strip() for name, text in texts.items() if text.strip()}
    for name, text in fields.items():
        if name in _LISTS:
            fields[name] = str(text).split()
        elif name == "series":
            rules = [rule.partition("=") for rule in _BETWEEN_RULES.split(str(text)) if rule]
            fields[name] = [{"path": path.strip(), "series": series.strip()} for path, _, series in rules]
        elif name == "channel":
            fields[name] = str(text).removeprefix("#")
        elif name == "version" and str(text).isdecimal():
            fields[name] = int(str(text))
    return msgspec.json.encode(fields)


TABLE: Final = Table("a site", SiteRecord, {"domain"}, from_texts)
