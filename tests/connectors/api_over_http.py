"""A vendor's API behind HTTP, and a run of its connector through the guarded fetcher."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, Protocol, TypeVar

import msgspec

from flatline.domain.time import to_ms
from flatline_connectors.runtime.section import Section
from tests.connectors.fetching.hostile import PUBLIC, fetcher
from tests.connectors.runtime.contract import World
from tests.connectors.runtime.doubles import Kafka, Process
from tests.http_server import Handler, running_server

Scripted = tuple[int, dict[str, str], str]
"""Status, headers and body."""

PAGE: Final = None
"""In a script: answer as if there were none."""

THROTTLED: Scripted = (429, {}, '{"error":"too many requests"}')
BROKEN: Scripted = (500, {}, "<html>")


class Answering(Protocol):
    """Answers the path and query of a request, or what is posted."""

    def __call__(self, asked: str, /) -> tuple[bytes, dict[str, str]]:
        """Return a body, and headers."""


class IndexedWorld(Protocol):
    """What a vendor's index has, as ``rows``, and the ``records`` that this makes."""

    index: Any
    records: set[tuple[str, ...]]
    options: Any


W = TypeVar("W", bound=IndexedWorld)


def emptied(world: W, **options: Any) -> W:
    """Return a world whose index knows nothing, after some options of its connector were changed."""
    world.index.rows.clear()
    world.records.clear()
    world.options = msgspec.structs.replace(world.options, **options)
    return world


class _Api(Handler):
    credentials: Mapping[str, str]
    answering: list[Callable[[str], tuple[bytes, dict[str, str]]]]
    script: list[Scripted | None]

    def get(self) -> None:
        """Answer as the script says, and when that is at its end, with a page."""
        self._answer(self.path)

    def post(self) -> None:
        """Answer in the same way what is posted."""
        self._answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def _answer(self, asked: str) -> None:
        given = {name: self.headers[name] for name in self.credentials}
        if given != self.credentials:
            self.answer(401, "application/json", msgspec.json.encode({"error": f"bad key {given}"}))
        elif (scripted := self.script.pop(0) if self.script else PAGE) is not PAGE:
            status, headers, body = scripted
            self.answer(status, "application/json", body.encode(), headers)
        else:
            page, headers = self.answering[0](asked)
            self.answer(200, "application/json", page, headers)


async def run_over_http(
    world: World,
    answering: Answering,
    *script: Scripted | None,
    credentials: Mapping[str, str],
    kafka: Kafka | None = None,
) -> Process:
    """Run a connector once against a server that begins with this script. Its options have a ``server``.

    ``credentials``: the headers without which it answers with 401.
    """
    members: dict[str, Any] = {"credentials": credentials, "answering": [answering], "script": [*script]}
    with running_server(type("ScriptedApi", (_Api,), members), PUBLIC) as at:
        options = msgspec.structs.replace(world.options, server=f"http://{at}")
        async with fetcher() as fetching:
            lent = replace(world.resources(), fetcher=fetching)
            section = Section("mine", options, world.kind)
            process = Process(section, kafka or Kafka(), lambda: lent, now_ms=to_ms(world.now))
            await process.runner.run()
    return process
