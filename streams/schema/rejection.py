"""Why a record was not taken. The same word reaches the dead-letter header, the log and the metric's label."""

from enum import StrEnum

from flatline.errors import FlatlineError


class Reason(StrEnum):
    """The finite list of reasons."""

    EMPTY = "empty"  # no value, or nothing but white space
    INVALID_JSON = "invalid_json"  # not UTF-8, not JSON, or cut off
    WRONG_TYPE = "wrong_type"  # JSON, but a field (or the whole) is of another type
    MISSING_FIELD = "missing_field"  # a required field is not there
    INVALID_VALUE = "invalid_value"  # right type, but not one of the values allowed
    INVALID_TIME = "invalid_time"  # not RFC 3339, without an offset, or a day that can't be
    INVALID_URL = "invalid_url"  # not an http(s) URL with a host
    TOO_LONG = "too_long"  # beyond a limit of the schema
    UNSUPPORTED_VERSION = "unsupported_version"  # a version of the contract that we do not know
    FOREIGN_SOURCE = "foreign_source"  # pushed with a token that may not write as that source


class Rejected(FlatlineError, ValueError):
    """A record that can't be taken: a finite ``reason`` and a ``detail`` for a person."""

    remedy = "Correct the record; streams/schema/README.md says what each reason means."

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
