"""Request ids: the answer, the log and dead letters name a request by the same one."""

import re
import secrets
from typing import Final

REQUEST_ID_HEADER: Final = "X-Request-Id"
# What proxies and clients make: a UUID, or something like it. It goes into logs and headers as it is.
_PLAIN: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


def request_id_of(given: str | None) -> str:
    """Return the id that the client gave its request, if it is a plain one, else a new one."""
    return given if given is not None and _PLAIN.fullmatch(given) else secrets.token_hex(8)
