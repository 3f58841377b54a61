"""The API over a read model of given records, without a Kafka."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry

from flatline.api.access import Access, Loopback, ScopedTokens
from flatline.api.app import Api
from flatline.api.feed import News
from flatline.api.metrics import ServeMetrics
from flatline.api.openapi import description
from flatline.api.routes import Circumstances
from flatline.clock import WallClock
from flatline.domain.learned.hazard import Hazard
from flatline.domain.policy.policy import Policy
from flatline.kafka.cluster import KafkaCluster
from flatline.page.app import Page
from flatline.page.forms import Forms
from flatline.policy_file import PolicyFile
from flatline.readmodel.database import Database
from flatline.readmodel.files import Files
from flatline.readmodel.follower import Follower, Progress
from flatline.readmodel.policy_lab import PolicyLab
from flatline_connectors.sending.producer import Producer
from tests.readmodel.projecting import NOW_MS, TOPICS, Log, projected

Client = TestClient[web.Request, web.Application]


class Standing(Follower):
    """A follower whose read model is there, and stays as it is."""

    def __init__(self, made: Database | None, folder: Path) -> None:
        super().__init__(
            KafkaCluster("127.0.0.1:9"),
            Files(folder, readers=1, deadline_s=1),
            topics=lambda: TOPICS,
            policy=Policy(),
            rules=b"",
        )
        self._database = made
        self._progress = Progress(records=1, waiting=0, is_current=made is not None)


@asynccontextmanager
async def serving(
    made: Database | None,
    folder: Path,
    access: Access | None = None,
    producer: Producer | None = None,
    *,
    with_page: bool = False,
    may_write: bool = True,
    alertmanager_url: str | None = None,
    now_ms: int = NOW_MS,
    news: News | None = None,
) -> AsyncIterator[Client]:
    """Serve a read model for the block."""
    access = access or Loopback()
    policy_lab = PolicyLab(PolicyFile(), Hazard())
    api = Api(
        Standing(made, folder),
        access,
        ServeMetrics(CollectorRegistry()),
        news or News(),
        at=lambda: Circumstances(now_ms, 1, policy_lab),
        discovery=_no_discovery,
        producer=producer,
        wall_ms=lambda: now_ms,
        alertmanager_url=alertmanager_url,
    )
    if with_page:
        is_token = access.is_token if isinstance(access, ScopedTokens) else None
        api.show(
            Page(
                api.asking.ask,
                now_ms=lambda: now_ms,
                waiting=lambda: "",
                partitions=1,
                wall_ms=WallClock().now_ms,
                is_token=is_token,
                forms=Forms(access, may_write=may_write),
                mark=api.writing.mark_alert,
                snoozing=api.snoozing,
                annotating=api.annotating,
                resend=api.resending.resend,
                policy_lab=policy_lab,
            )
        )
    async with TestClient(TestServer(api.application())) as client:
        yield client
        await api.drain()


async def _no_discovery(_request: web.Request) -> web.StreamResponse:
    return web.Response()


def of_log(log: Log, made: Database) -> Database:
    """Return a read model of a log, with a word that says which one it is."""
    projected(log, made)
    with made.writing() as connection:
        connection.exec_driver_sql("INSERT INTO meta VALUES ('epoch', 'abc')")
    return made


class Described:
    """The API's own description."""

    def __init__(self) -> None:
        self.document = description()
        self.paths = cast(dict[str, Any], self.document["paths"])

    def check(self, path: str, status: int, body: Any, *, method: str = "get") -> None:
        """Fail unless the answer is one that is described."""
        # It takes more than a second to load, of every process that finds tests.
        import jsonschema

        content = self.paths[path][method]["responses"][str(status)]["content"]
        schema = {**content["application/json"]["schema"], "components": self.document["components"]}
        jsonschema.validate(body, schema, cls=jsonschema.Draft202012Validator)


DESCRIBED = Described()
