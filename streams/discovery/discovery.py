"""What a process needs so that Prometheus finds it, and to list all others."""

import re
import socket
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

import orjson
from aiohttp import web

from flatline.agents.topic_reader import TopicReader
from flatline.discovery.announcer import Announcer
from flatline.discovery.instances import Instances
from flatline.errors import FlatlineError
from flatline.schema.instance import HOST_PATTERN, Instance
from flatline.schema.topics import Topics
from flatline.settings import Settings


class UnnamedHostError(FlatlineError):
    """Prometheus could not reach this machine under its own name."""

    remedy = "Set FLATLINE_ADVERTISED_HOST to the name or the IP address under which Prometheus reaches this machine."


class Discovery:
    """Announces this process, and answers Prometheus' HTTP service discovery with all processes.

    ``reads`` and ``announces`` run for as long as the process does: the first one from the beginning, the other one
    from when /metrics answers.
    """

    def __init__(self, settings: Settings, topics: Topics, *, role: str, host: str, port: int) -> None:
        """``host`` and ``port``: the address of /metrics. Raises UnnamedHostError."""
        self._instances = Instances()
        self._reader = TopicReader(cluster=settings.cluster, topic=topics.instances, receive=self._instances.receive)
        now = datetime.now(UTC)
        instance = Instance(
            role=role,
            host=settings.advertised_host or advertised(host),
            port=port,
            started_at=now,
            announced_at=now,
            scheme=settings.scheme,
            forget_after_s=settings.forget_instance_after_s,
        )
        # One that is started again at the same address takes the place of the one before.
        name = f"{role}/{socket.gethostname()}/{host}:{port}"
        self._announcer = Announcer(
            settings.cluster, topics.instances, name=name, instance=instance, now=lambda: datetime.now(UTC)
        )

    @property
    def reads(self) -> Callable[[], Coroutine[Any, Any, None]]:
        """Reads what others announce, for ever."""
        return self._reader.run

    @property
    def announces(self) -> Callable[[], Coroutine[Any, Any, None]]:
        """Announces this process until `end`."""
        return self._announcer.run

    async def end(self) -> None:
        """Say that this process has ended as it should."""
        await self._announcer.withdraw()

    async def answer(self, _request: web.Request) -> web.StreamResponse:
        """Answer Prometheus. 503 before all is read: Prometheus then keeps the targets that it knows."""
        if not self._reader.is_current:
            return web.Response(text="The instances were not read yet.\n", status=503)
        return web.Response(body=orjson.dumps(self._instances.target_groups()), content_type="application/json")


def advertised(host: str) -> str:
    """Return the host under which others reach what listens at ``host``. Raises UnnamedHostError."""
    bare = host.strip("[]")
    try:
        listens_everywhere = ip_address(bare).is_unspecified
    except ValueError:
        listens_everywhere = False
    name = socket.gethostname() if listens_everywhere else bare
    if not re.search(HOST_PATTERN, name):
        raise UnnamedHostError(f"{name!r} is not a host name that Prometheus could be told.")
    return name
