"""A vendor's API behind HTTP, and a run of its connector through the guarded fetcher."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import msgspec

from flatline.domain.time import to_ms
from flatline_connectors.runtime.section import Section
from tests.connectors.fetching.hostile import PUBLIC, fetcher
from tests.connectors.runtime.contract import World
from tests.connectors.runtime.doubles import Kafka, Process
from tests.http_server import Handler, running_server

Scripted = tuple[int, dict[str, str], str]
"""Status, headers and body."""

THROTTLED: Scripted = (429, {}, '{"error":"too many requests"}')
BROKEN: Scripted = (500, {}, "<html>")


class Answering(Protocol):
    """Answers the path and query of a request."""

    def __call__(self, path: str) -> tuple[bytes, dict[str, str]]:
        """Return a body, and headers."""


class _Api(Handler):
    authorization: str
    answering: list[Callable[[str], tuple[bytes, dict[str, str]]]]
    script: list[Scripted]

    def get(self) -> None:
        """Answer as the script says, and when that is at its end, with a page."""
        if self.headers["Authorization"] != self.authorization:
            said = msgspec.json.encode({"error": f"bad key {self.headers['Authorization']}"})
            self.answer(401, "application/json", said)
        elif self.script:
            status, headers, body = self.script.pop(0)
            self.answer(status, "application/json", body.encode(), headers)
        else:
            page, headers = self.answering[0](self.path)
            self.answer(200, "application/json", page, headers)


async def run_over_http(
    world: World, answering: Answering, *script: Scripted, authorization: str, kafka: Kafka | None = None
) -> Process:
    """Run a connector once against a server that begins with this script. Its options have a ``server``."""
    members: dict[str, Any] = {"authorization": authorization, "answering": [answering], "script": [*script]}
    with running_server(type("ScriptedApi", (_Api,), members), PUBLIC) as at:
        options = msgspec.structs.replace(world.options, server=f"http://{at}")
        async with fetcher() as fetching:
            lent = replace(world.resources(), fetcher=fetching)
            section = Section("mine", options, world.kind)
            process = Process(section, kafka or Kafka(), lambda: lent, now_ms=to_ms(world.now))
            await process.runner.run()
    return process
