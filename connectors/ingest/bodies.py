"""Bodies of requests that are small enough to be read whole."""

from aiohttp import web

from flatline_connectors.ingest.answers import Refused


async def small_body(request: web.Request, *, bytes_max: int, what: str) -> bytes:
    """Return the body. Raise `Refused` (413) if it is longer: no more than that is read. ``what``: "A notice"."""
    body = await request.content.read(bytes_max + 1)
    while len(body) <= bytes_max and not request.content.at_eof():
        body += await request.content.read(bytes_max + 1 - len(body))
    if len(body) > bytes_max:
        raise Refused(413, "too_large", f"{what} may have {bytes_max:,} bytes.")
    return body
