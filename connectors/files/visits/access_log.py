r"""Lines of nginx's and Apache's `combined` log format, also with Apache's ``host:port`` before it.

https://httpd.apache.org/docs/current/mod/mod_log_config.html,
https://nginx.org/en/docs/http/ngx_http_log_module.html. Apache escapes a quote as ``\"``, nginx as ``\x22``. What a
server adds at the end of a line is ignored.
"""

import re
from datetime import date
from functools import lru_cache
from typing import Final

from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.files.exports.row import Skipped
from flatline_connectors.files.visits.requests import why_no_visit
from flatline_connectors.files.visits.visit import Visit

_QUOTED: Final = r'"((?:[^"\\]|\\.)*)"'
# The client is a name or an address, never a mere hyphen: so an IPv6 address is not taken for host and port.
_COMMON: Final = (
    r"(?:(?P<host>[\w.-]+):\d{1,5} )?(?=\S*\w)\S+ \S+ .*?"
    r" ?\[(?P<day>\d\d/[A-Z][a-z]{2}/\d{4}):\d\d:\d\d:\d\d [+-]\d{4}\] "
    rf"{_QUOTED} (?P<status>\d{{3}}) (?:\d+|-)"
)
_LINE: Final = re.compile(rf"{_COMMON} {_QUOTED} {_QUOTED}", re.ASCII)
_LINE_WITHOUT_REFERRER: Final = re.compile(rf"{_COMMON}\s*$", re.ASCII)
_TIME: Final = re.compile(r"\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]")
_ESCAPE: Final = re.compile(r"((?:\\x[0-9A-Fa-f]{2})+)|\\(.)")
_MONTH_NAMES: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS: Final = {name: number for number, name in enumerate(_MONTH_NAMES, start=1)}
_NO_REQUEST: Final = Skipped("no HTTP request")
_REQUEST_PARTS: Final = 3


def is_log_line(text: str) -> bool:
    """Whether a line has the time of a log line."""
    return _TIME.search(text) is not None


def has_no_referrer(line: bytes) -> bool:
    """Whether a line is of the `common` format, which says neither referrer nor agent."""
    return _LINE_WITHOUT_REFERRER.match(line.decode(errors="replace")) is not None


def visit_of(line: bytes) -> Visit | Skipped:
    """Return the visit that a line tells of; its day is that of the server's clock. Raise `Rejected`.

    What is raised quotes nothing of the line, which names people.
    """
    found = _LINE.match(line.decode(errors="replace"))
    if found is None:
        raise Rejected(Reason.INVALID_VALUE, "not a line of the combined log format")
    request, referrer, agent = found.group(3, 5, 6)
    parts = request.split(" ")
    if len(parts) != _REQUEST_PARTS or not parts[2].startswith("HTTP/"):
        return _NO_REQUEST
    method, path, _ = parts
    status, referrer = int(found["status"]), _unescaped(referrer)
    if why := why_no_visit(method=method, status=status, path=path, agent=_unescaped(agent), referrer=referrer):
        return why
    return Visit(found["host"] or "", _unescaped(path), referrer, _day(found["day"]))


@lru_cache(maxsize=1_024)
def _day(text: str) -> date:
    try:
        return date(int(text[7:]), _MONTHS[text[3:6]], int(text[:2]))
    except (ValueError, KeyError):
        raise Rejected(Reason.INVALID_TIME, f"{text} is no day") from None


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPE.sub(_character, text)


def _character(escape: re.Match[str]) -> str:
    return bytes.fromhex(escape[1].replace("\\x", "")).decode(errors="replace") if escape[1] else escape[2]
