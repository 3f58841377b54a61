"""Takes out of a line of a log what names a person, before the line is kept as a dead letter."""

import ipaddress
import re
from typing import Final

_MAYBE_ADDRESS: Final = re.compile(r"[0-9A-Fa-f]*[:.][0-9A-Fa-f:.]*[0-9A-Fa-f](?:%\w+)?|::")
_QUERY: Final = re.compile(r"\?[^\s\"]*")
_CLIENT: Final = re.compile(r"^(?:[\w.-]+:\d{1,5} )?\S+ \S+ .*?(?= ?\[\d\d/)", re.ASCII)
_TAKEN_OUT: Final = "(taken out)"


def without_persons(line: bytes) -> bytes:
    """Return a line without IP addresses, queries, and the client and user with which a log line begins.

    >>> without_persons(b'192.0.2.7 - ada [24/Nov/2026:10:00:00 +0000] "GET /a?mail=x HTTP')
    b'(taken out) [24/Nov/2026:10:00:00 +0000] "GET /a?(taken out) HTTP'
    """
    text = _CLIENT.sub(_TAKEN_OUT, line.decode(errors="replace"), count=1)
    text = _QUERY.sub(f"?{_TAKEN_OUT}", text)
    return _MAYBE_ADDRESS.sub(_without_address, text).encode()


def _without_address(found: re.Match[str]) -> str:
    text = found[0]
    for candidate in (text, text.rpartition(":")[0]):  # the latter: with a port
        try:
            ipaddress.ip_address(candidate)
        except ValueError:
            continue
        return _TAKEN_OUT
    return text
