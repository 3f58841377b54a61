"""WAT and WARC files, written by the library's own writer."""

import json
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from fastwarc.stream_io import GzipWriter
from fastwarc.warc import WarcRecord, WarcRecordType

CAPTURED_AT = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


def member(record_type: WarcRecordType, url: str, content: bytes, media_type: str) -> bytes:
    """Return a record, in a gzip member of its own."""
    record = WarcRecord()
    record.init_headers(record_type=record_type)
    record.headers["WARC-Target-URI"] = url
    record.headers["WARC-Date"] = f"{CAPTURED_AT:%Y-%m-%dT%H:%M:%SZ}"
    record.headers["Content-Type"] = media_type
    record.set_bytes_content(content)
    written = BytesIO()
    compressing = GzipWriter(written)
    record.write(compressing)
    compressing.close()
    return written.getvalue()


def captured(
    url: str, links: list[dict[str, Any]], *, status: str = "200", head: dict[str, Any] | None = None
) -> bytes:
    """Return the record of a WAT file that tells of a captured page."""
    html = {"Head": head or {}, "Links": links}
    response = {"Response-Message": {"Status": status}, "HTML-Metadata": html}
    header = {"WARC-Type": "response", "WARC-Target-URI": url, "WARC-Date": f"{CAPTURED_AT:%Y-%m-%dT%H:%M:%SZ}"}
    payload = {"HTTP-Response-Metadata": response}
    whole = {"Envelope": {"WARC-Header-Metadata": header, "Payload-Metadata": payload}}
    return member(WarcRecordType.metadata, url, json.dumps(whole).encode(), "application/json")


def response(url: str, html: str, *, status: str = "200 OK", media_type: str = "text/html; charset=utf-8") -> bytes:
    """Return the record of a WARC file with a page."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\n\r\n"
    return member(WarcRecordType.response, url, head.encode() + html.encode(), "application/http; msgtype=response")


def to(url: str, path: str = "A@/href", **more: str) -> dict[str, str]:
    """Return a link of a WAT record."""
    return {"path": path, "url": url, **more}
