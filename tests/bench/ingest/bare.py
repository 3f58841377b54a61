"""`python -m tests.bench.ingest.bare PORT`: the least that aiohttp can do with a body, which is to read and parse it.

It checks nothing, asks for no token, and keeps nothing.
"""

import sys

import orjson
from aiohttp import web

from flatline.local.ports import LOOPBACK


async def _links(request: web.Request) -> web.Response:
    events = orjson.loads(await request.read())
    body = orjson.dumps({"accepted": len(events) if isinstance(events, list) else 1, "rejected": []})
    return web.Response(body=body, content_type="application/json")


async def _readyz(_request: web.Request) -> web.Response:
    return web.Response(text="ok\n")


if __name__ == "__main__":
    app = web.Application(client_max_size=8 << 20)
    app.add_routes([web.post("/v1/links", _links), web.get("/readyz", _readyz)])
    web.run_app(app, host=LOOPBACK, port=int(sys.argv[1]), access_log=None, print=None)
