"""Bytes to typed records and back, with every error turned into a finite reason."""

import re
from calendar import monthrange
from datetime import UTC, datetime
from typing import Final, Generic, TypeVar

import msgspec
from msgspec import Struct

from flatline.schema.alert_mark import AlertMark
from flatline.schema.annotation import Annotation
from flatline.schema.article_record import ArticleRecord
from flatline.schema.connector_record import POSITION_BYTES_MAX, ConnectorPosition, ConnectorStatus
from flatline.schema.generation import Building, Erasing, Generation
from flatline.schema.group import GroupPart, GroupVerdict, SurveyRound
from flatline.schema.heartbeat import Heartbeat
from flatline.schema.instance import Instance
from flatline.schema.limits import RECORD_BYTES_MAX
from flatline.schema.link_event import LinkEvent
from flatline.schema.move import Move
from flatline.schema.recognised_import import ImportPart, LabellingSource, RecognisedImport
from flatline.schema.rejection import Reason, Rejected
from flatline.schema.removal import Removal
from flatline.schema.site_record import SiteRecord
from flatline.schema.snooze import Snooze
from flatline.schema.verdict import Verdict
from flatline.schema.visits_record import VisitsRecord

T = TypeVar("T", bound=Struct)

# msgspec tells its errors apart by their text alone; tests/schema walks an example of each.
_REASON_BY_TEXT = (
    ("at `$.version`", Reason.UNSUPPORTED_VERSION),
    ("missing required field", Reason.MISSING_FIELD),
    ("of length <=", Reason.TOO_LONG),
    ("RFC3339", Reason.INVALID_TIME),
    ("timezone component", Reason.INVALID_TIME),
    ("Invalid enum value", Reason.INVALID_VALUE),
    ("of length >=", Reason.INVALID_VALUE),
    ("matching regex", Reason.INVALID_VALUE),
    (" >= ", Reason.INVALID_VALUE),
    (" <= ", Reason.INVALID_VALUE),
    (" > ", Reason.INVALID_VALUE),
    ("out of range", Reason.INVALID_VALUE),
)


# A text that is an instant in second 60, which RFC 3339 knows and Python does not.
_SECOND_60: Final = re.compile(rb'(?<!\\)"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:)60(\.\d+)?(Z|z|[+-]\d\d:\d\d)"')

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def _reason(text: str) -> Reason:
    return next((reason for part, reason in _REASON_BY_TEXT if part in text), Reason.WRONG_TYPE)


JSON_ERRORS: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises of JSON that can't be read: of bytes that are no text, and of nesting without end, too."""


class Codec(Generic[T]):
    """Decodes and encodes one record type.

    >>> links.decode(b'{"url_from": "https://a.example/", "url_to": "https://b.example/"}').change
    'gained'
    """

    def __init__(self, record_type: type[T], *, bytes_max: int = RECORD_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._decode = msgspec.json.Decoder(record_type).decode
        self._optional = {each.encode_name for each in msgspec.structs.fields(record_type) if not each.required}
        self.encode = msgspec.json.Encoder().encode

    def decode(self, value: bytes | None) -> T:
        """Return the typed record; raise `Rejected` and nothing else. An optional field that is null is left out.

        A leap second is the last millisecond before it.
        """
        try:
            if value is not None and len(value) <= self._bytes_max:
                if not value.isascii():
                    value.decode()  # msgspec does not look into fields that it skips
                return self._decode_leniently(value)
        except msgspec.ValidationError as error:
            raise Rejected(_reason(str(error)), str(error)) from None
        except JSON_ERRORS as error:
            if value is None or value.strip():
                raise Rejected(Reason.INVALID_JSON, str(error)) from None
        if value is None or len(value) <= self._bytes_max:
            raise Rejected(Reason.EMPTY, "the record has no value")
        raise Rejected(Reason.TOO_LONG, f"the record has {len(value)} bytes; the limit is {self._bytes_max}")

    def _decode_leniently(self, value: bytes) -> T:
        """Decode, and only where that fails look for nulls and leap seconds: few records have any."""
        try:
            return self._decode(value)
        except msgspec.ValidationError:
            lenient = _SECOND_60.sub(_second_59, value)
            fields = _fields(lenient)
            said = {name: raw for name, raw in fields.items() if bytes(raw) != b"null" or name not in self._optional}
            if lenient == value and len(said) == len(fields):
                raise
        return self._decode(msgspec.json.encode(said))


def _second_59(second_60: re.Match[bytes]) -> bytes:
    """Return the last millisecond before a leap second; what is none, which ends no month of UTC, stays as it is."""
    try:
        before = datetime.fromisoformat(f"{second_60[1].decode()}59{second_60[3].decode()}".upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return second_60[0]
    is_last = (before.hour, before.minute, before.day) == (23, 59, monthrange(before.year, before.month)[1])
    return b'"%b59.999%b"' % (second_60[1], second_60[3]) if is_last else second_60[0]


links = Codec(LinkEvent)
articles = Codec(ArticleRecord)
visits = Codec(VisitsRecord)
removals = Codec(Removal)
moves = Codec(Move)
sites = Codec(SiteRecord)
heartbeats = Codec(Heartbeat)
alert_marks = Codec(AlertMark)
snoozes = Codec(Snooze)
annotations = Codec(Annotation)
verdicts = Codec(Verdict)
groups = Codec(GroupVerdict)
group_parts = Codec(GroupPart)
survey_rounds = Codec(SurveyRound)
import_parts = Codec(ImportPart)
imports = Codec(RecognisedImport)
labelling_sources = Codec(LabellingSource)
generations = Codec(Generation)
buildings = Codec(Building)
erasings = Codec(Erasing)
instances = Codec(Instance)
connector_positions = Codec(ConnectorPosition, bytes_max=POSITION_BYTES_MAX)
connector_statuses = Codec(ConnectorStatus)
