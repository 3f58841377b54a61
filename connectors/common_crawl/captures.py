"""The links of a captured page: from its WARC record, or from the metadata that a WAT file has of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from fastwarc.warc import WarcRecord, WarcRecordType
from msgspec import Struct, field

from flatline.domain.urls.canonical import InvalidUrl, canonicalize
from flatline.schema.codec import JSON_ERRORS
from flatline.schema.limits import TEXT_CHARACTERS_MAX, TITLE_CHARACTERS_MAX
from flatline.schema.link_event import LinkEvent, Page
from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.fetching.fetcher import HTML
from flatline_connectors.pages.dates import instant_of
from flatline_connectors.pages.links import Links, PageLink, html_text, merged_link, one_line, read_html, resolved
from flatline_connectors.rel import bounded_rel

_OF_LINKS: Final = ("A@/href", "AREA@/href")


class _WarcHeader(Struct):
    type: str = field(default="", name="WARC-Type")
    url: str = field(default="", name="WARC-Target-URI")
    date: str = field(default="", name="WARC-Date")


class _StatusLine(Struct):
    status: str | int = field(default="", name="Status")


class _Head(Struct):
    title: Any = field(default=None, name="Title")
    base: Any = field(default=None, name="Base")


class _Html(Struct):
    head: _Head = field(default_factory=_Head, name="Head")
    links: list[dict[str, Any]] = field(default=[], name="Links")


class _Response(Struct):
    status_line: _StatusLine = field(default_factory=_StatusLine, name="Response-Message")
    html: _Html = field(default_factory=_Html, name="HTML-Metadata")


class _Payload(Struct):
    response: _Response | None = field(default=None, name="HTTP-Response-Metadata")


class _Envelope(Struct):
    header: _WarcHeader = field(default_factory=_WarcHeader, name="WARC-Header-Metadata")
    payload: _Payload = field(default_factory=_Payload, name="Payload-Metadata")


class _Wat(Struct):
    envelope: _Envelope = field(name="Envelope")


_decode_wat: Final = msgspec.json.Decoder(_Wat).decode


@dataclass(frozen=True)
class WantedLinks:
    """Which links are wanted: those that ``is_ours``, which lead to one of these hosts or to a subdomain.

    Only records in which one of the hosts stands, in plain characters, are parsed: that decides how fast a file is
    read.
    """

    hosts: frozenset[bytes]
    is_ours: Callable[[str], bool]

    def may_be_in(self, record: bytes) -> bool:
        """Whether a record can have a wanted link."""
        text = record.lower()
        return any(host in text for host in self.hosts)


def events_of(record: WarcRecord, wanted: WantedLinks) -> list[LinkEvent]:
    """Return the wanted links of a record of a WAT or WARC file. Raise `Rejected` for one that can't be read."""
    if record.record_type == WarcRecordType.metadata:
        return list(_events_of_wat(record, wanted))
    if record.record_type == WarcRecordType.response:
        return list(_events_of_response(record, wanted))
    return []


def _events_of_wat(record: WarcRecord, wanted: WantedLinks) -> Iterator[LinkEvent]:
    body = _whole(record)
    if not wanted.may_be_in(body):
        return
    try:
        envelope = _decode_wat(body).envelope
    except JSON_ERRORS as error:
        raise Rejected(Reason.INVALID_JSON, f"no metadata of a capture: {error}") from None
    response = envelope.payload.response
    if envelope.header.type != "response" or response is None or str(response.status_line.status) != "200":
        return
    page = resolved(envelope.header.url, None)
    if page is None:
        raise Rejected(Reason.INVALID_URL, f"{envelope.header.url[:200]!r} is not an http(s) URL")
    captured_at = instant_of(envelope.header.date)
    if captured_at is None:
        raise Rejected(Reason.INVALID_TIME, f"{envelope.header.date[:100]!r} is no time")
    head = response.html.head
    base = resolved(head.base, page) if isinstance(head.base, str) and head.base else None
    links: dict[str, PageLink] = {}
    for said in response.html.links:
        if said.get("path") not in _OF_LINKS:
            continue
        href = _text(said.get("url") or said.get("href"))
        address = resolved(href, base or page) if href else None
        if address is None or not wanted.is_ours(address):
            continue
        try:
            key = canonicalize(address)
        except InvalidUrl:
            continue
        rel = tuple(sorted(set(_text(said.get("rel")).lower().split())))
        link = PageLink(address, one_line(_text(said.get("text")) or _text(said.get("alt"))), rel)
        links[key] = merged_link(links[key], link) if key in links else link
    yield from _events(page, captured_at, one_line(_text(head.title)), links)


def _events_of_response(record: WarcRecord, wanted: WantedLinks) -> Iterator[LinkEvent]:
    if "http" not in (record.headers.get("Content-Type") or ""):
        return
    whole = _whole(record)
    url = record.headers.get("WARC-Target-URI") or ""
    if not wanted.may_be_in(whole) and not wanted.may_be_in(url.encode()):
        return
    head, _, body = whole.partition(b"\r\n\r\n")
    status, _, fields = head.decode("latin-1").partition("\r\n")
    if status.split()[1:2] != ["200"]:
        return
    media_type, _, parameters = _field(fields, "content-type").partition(";")
    if media_type.strip().lower() not in HTML:
        return
    page = resolved(url.strip("<>"), None)
    if page is None:
        raise Rejected(Reason.INVALID_URL, f"{url[:200]!r} is not an http(s) URL")
    captured_at = record.record_date
    if captured_at is None:
        raise Rejected(Reason.INVALID_TIME, "the record has no WARC-Date")
    charset = parameters.partition("charset=")[2].partition(";")[0].strip("\"' ") or None
    html = read_html(html_text(body, charset), page, is_wanted=wanted.is_ours)
    yield from _events(page, captured_at, html.title, html.links)


def _events(page: str, captured_at: datetime, title: str, links: Links) -> Iterator[LinkEvent]:
    for link in links.values():
        yield LinkEvent(
            url_from=page,
            url_to=link.url,
            observed_at=captured_at,
            discovery="import",
            anchor=link.anchor[:TEXT_CHARACTERS_MAX] or None,
            rel=bounded_rel(link.rel),
            page=Page(title=title[:TITLE_CHARACTERS_MAX]) if title else None,
        )


def _whole(record: WarcRecord) -> bytes:
    body = record.reader.read()
    if len(body) != record.content_length:
        detail = f"the record has {len(body):,} of the {record.content_length:,} bytes that it announces"
        raise Rejected(Reason.INVALID_VALUE, detail)
    return body


def _field(fields: str, wanted: str) -> str:
    for line in fields.split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == wanted:
            return value
    return ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
