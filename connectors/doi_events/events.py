"""Events of Crossref and DataCite, and the link events that they become: pure functions of their answers."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

import msgspec
from msgspec import Struct, field

from flatline.schema.codec import JSON_ERRORS
from flatline.schema.limits import TITLE_CHARACTERS_MAX, TOKEN_CHARACTERS_MAX
from flatline.schema.link_event import LinkEvent, Page
from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.pages.dates import instant_of
from flatline_connectors.pages.links import one_line, resolved

_DOI_HOSTS: Final = ("https://doi.org/", "http://doi.org/", "https://dx.doi.org/", "http://dx.doi.org/")


class DoiEvent(NamedTuple):
    """That a page (``subject``) mentions a publication (``object``, the address of its DOI; ``landing_page``).

    ``changed_at``  when the registry took it, changed it, or found that it was a mistake (``is_deleted``)
    """

    id: str
    subject: str
    object: str
    landing_page: str | None
    occurred_at: datetime
    changed_at: datetime
    is_deleted: bool
    title: str


class ReadPage(NamedTuple):
    """A page of answers: each event as its bytes, with what they say or why not; and the cursor of the next page."""

    events: list[tuple[bytes, DoiEvent | Rejected]]
    cursor: str | None


class _CrossrefMessage(Struct, rename="kebab"):
    next_cursor: str | None
    events: list[msgspec.Raw]


class _CrossrefAnswer(Struct):
    message: _CrossrefMessage


class _CrossrefEvent(Struct):
    """Fields of an update are written in two ways."""

    id: str
    subj_id: str
    obj_id: str
    occurred_at: str
    timestamp: str
    subj: dict[str, Any] = {}
    obj: dict[str, Any] = {}
    updated: str = ""
    updated_date: str | None = None
    updated_date_too: str | None = field(default=None, name="updated-date")


class _DataciteAnswer(Struct):
    data: list[msgspec.Raw]
    links: dict[str, Any] = {}


class _DataciteAttributes(Struct, rename="camel"):
    subj_id: str
    obj_id: str
    occurred_at: str
    timestamp: str
    message_action: str = "create"


class _DataciteEvent(Struct):
    id: str
    attributes: _DataciteAttributes


_decode_crossref_answer: Final = msgspec.json.Decoder(_CrossrefAnswer).decode
_decode_crossref_event: Final = msgspec.json.Decoder(_CrossrefEvent).decode
_decode_datacite_answer: Final = msgspec.json.Decoder(_DataciteAnswer).decode
_decode_datacite_event: Final = msgspec.json.Decoder(_DataciteEvent).decode


def read_crossref(body: bytes) -> ReadPage:
    """Return the events of an answer of Crossref. Raise `Rejected` for what is no such answer."""
    try:
        message = _decode_crossref_answer(body).message
    except JSON_ERRORS as error:
        raise Rejected(Reason.INVALID_JSON, f"no list of events: {error}") from None
    return ReadPage([(bytes(raw), _read(_crossref_event, raw)) for raw in message.events], message.next_cursor)


def read_datacite(body: bytes) -> ReadPage:
    """Return the events of an answer of DataCite. Raise `Rejected` for what is no such answer."""
    try:
        answer = _decode_datacite_answer(body)
    except JSON_ERRORS as error:
        raise Rejected(Reason.INVALID_JSON, f"no list of events: {error}") from None
    following = answer.links.get("next")
    query = parse_qs(urlsplit(following).query) if isinstance(following, str) and answer.data else {}
    return ReadPage(
        [(bytes(raw), _read(_datacite_event, raw)) for raw in answer.data], query.get("page[cursor]", [None])[0]
    )


def event_of(event: DoiEvent, *, is_ours: Callable[[str], bool] | None, is_history: bool) -> LinkEvent | None:
    """Return the link that an event tells; None where one publication mentions another.

    It leads to the landing page if that is on a site of ours (None: sites are unknown), else to the address of the DOI.
    """
    subject = resolved(event.subject, None)
    if subject is None or subject.lower().startswith(_DOI_HOSTS):
        return None
    page = event.landing_page
    is_lost = event.is_deleted
    return LinkEvent(
        url_from=subject,
        url_to=page if page and (is_ours is None or is_ours(page)) else event.object,
        id=event.id[:TOKEN_CHARACTERS_MAX] or None,
        change="lost" if is_lost else "gained",
        lost_reason="retracted" if is_lost else None,
        occurred_at=event.changed_at if is_lost else min(event.occurred_at, event.changed_at),
        observed_at=event.changed_at,
        discovery="import" if is_history else "link_found",
        page=Page(title=event.title[:TITLE_CHARACTERS_MAX] or None),
    )


def _read(read: Callable[[msgspec.Raw], DoiEvent], raw: msgspec.Raw) -> DoiEvent | Rejected:
    try:
        return read(raw)
    except Rejected as rejected:
        return rejected
    except JSON_ERRORS as error:
        return Rejected(Reason.INVALID_VALUE, f"no event: {error}")


def _crossref_event(raw: msgspec.Raw) -> DoiEvent:
    event = _decode_crossref_event(raw)
    updated_at = event.updated_date or event.updated_date_too
    landing_page = event.obj.get("url")
    return DoiEvent(
        id=event.id,
        subject=_text(event.subj.get("url")) or event.subj_id,
        object=_address(event.obj_id),
        landing_page=resolved(landing_page, None) if isinstance(landing_page, str) else None,
        occurred_at=_instant(event.occurred_at),
        changed_at=_instant(updated_at or event.timestamp),
        is_deleted=event.updated == "deleted",
        title=one_line(_text(event.subj.get("title"))),
    )


def _datacite_event(raw: msgspec.Raw) -> DoiEvent:
    event = _decode_datacite_event(raw)
    said = event.attributes
    return DoiEvent(
        id=event.id,
        subject=said.subj_id,
        object=_address(said.obj_id),
        landing_page=None,
        occurred_at=_instant(said.occurred_at),
        changed_at=_instant(said.timestamp),
        is_deleted=said.message_action == "delete",
        title="",
    )


def _address(doi: str) -> str:
    """Return the address of a DOI, which may be written without."""
    return doi if "://" in doi else f"https://doi.org/{doi}"


def _instant(text: str) -> datetime:
    instant = instant_of(text)
    if instant is None:
        raise Rejected(Reason.INVALID_TIME, f"{text[:100]!r} is no time")
    return instant


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
