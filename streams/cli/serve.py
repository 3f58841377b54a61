"""`flatline serve`."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Final

import msgspec
import typer

from flatline.cli.logs import announce, set_up_logs
from flatline.cli.options import with_settings
from flatline.clock import WallClock, clock_from
from flatline.settings import Settings

if TYPE_CHECKING:
    from flatline.api.access import Access
    from flatline.api.app import Api
    from flatline.domain.policy.policy import Policy
    from flatline.page.app import Page
    from flatline.policy_file import PolicyFile
    from flatline.readmodel.follower import Follower, Progress
    from flatline.readmodel.policy_lab import PolicyLab
    from flatline.readmodel.read_models import ReadModels
    from flatline.schema.topics import Topics

_WORTH_SAYING: Final = 1_000  # of records: what has just come is read within a second
SERVE_SETTINGS: Final = tuple(name for name in Settings.model_fields if name.startswith("serve_"))


@with_settings(*SERVE_SETTINGS, "readmodel_url", "policy_file", of="serve_")
def serve(*, settings: Settings) -> None:
    """Run the web page and the HTTP API over everything that is known, until it is stopped.

    It follows all topics into a file in the data folder, or into a PostgreSQL database. The API is below /api/v1;
    /api/v1/openapi.json describes it.
    """
    from prometheus_client import CollectorRegistry

    from flatline.api.access import access_of, is_loopback
    from flatline.api.app import Api
    from flatline.api.feed import News
    from flatline.api.metrics import ServeMetrics
    from flatline.api.routes import Circumstances
    from flatline.discovery.discovery import Discovery
    from flatline.generations import serving_topics
    from flatline.policy_file import load_policy, load_policy_file
    from flatline.readmodel.follower import Follower
    from flatline_connectors.ingest import server
    from flatline_connectors.sending.producer import Producer

    set_up_logs(settings)
    host, port = settings.serve_host, settings.serve_port
    if settings.summary_at is not None and settings.slack_webhook_url_file is None:
        raise typer.BadParameter("FLATLINE_SLACK_WEBHOOK_URL_FILE is missing: FLATLINE_SUMMARY_AT has Slack told.")
    if settings.serve_tokens_file is None and not is_loopback(host):
        raise typer.BadParameter(
            f"--tokens-file (or FLATLINE_SERVE_TOKENS_FILE) is missing: {host} is open to other machines."
        )
    access, clock, news = access_of(settings.serve_tokens_file), clock_from(settings), News()
    written, policy = load_policy_file(settings.policy_file), load_policy(settings.policy_file)
    policy_lab = _policy_lab(written, policy)
    (topics, may_write), tls = _topics(settings), settings.server_context
    discovery = Discovery(settings, topics, role="serve", host=host, port=port)
    follower = Follower(
        settings.cluster,
        _read_models(settings),
        topics=lambda: serving_topics(settings),
        policy=policy,
        rules=msgspec.json.encode((written.ignore, written.removed, settings.blog_platforms)),
        on_commit=news.tell,
    )

    async def run(producer: Producer | None) -> None:
        api = Api(
            follower,
            access,
            ServeMetrics(CollectorRegistry()),
            news,
            at=lambda: Circumstances(clock.now_ms(), topics.links.partitions, policy_lab),
            discovery=discovery.answer,
            wall_ms=WallClock().now_ms,
            producer=producer,
            alertmanager_url=settings.alertmanager_url,
        )
        api.show(
            _page(
                api,
                follower,
                access,
                policy_lab,
                now_ms=clock.now_ms,
                partitions=topics.links.partitions,
                may_write=may_write,
            )
        )
        running = [asyncio.create_task(each) for each in (discovery.reads(), *_summaries(settings, api, clock.now_ms))]

        def listens() -> None:
            running.append(asyncio.create_task(discovery.announces()))
            announce(settings, f"The page is at {settings.scheme}://{host}:{port}/ and the API below /api/v1")

        try:
            await server.serve(api, host=host, port=port, tls=tls, on_listening=listens, on_hangup=access.reload)
        finally:
            await discovery.end()
            for task in running:
                task.cancel()

    with _sole_use(settings):
        follower.start()
        try:
            if not may_write:
                asyncio.run(run(None))
            else:
                with Producer(settings.cluster, topics, now_ms=clock.now_ms, linger_ms=5) as producer:
                    asyncio.run(run(producer))
        finally:
            follower.stop()


def _read_models(settings: Settings) -> "ReadModels":
    from flatline.api.asking import READERS

    deadline_s = settings.serve_query_timeout_s
    if settings.readmodel_url is None:
        from flatline.readmodel.files import Files

        return Files(settings.data_dir / "readmodel", readers=READERS, deadline_s=deadline_s)
    from flatline.readmodel.schemas import Schemas

    return Schemas(settings.readmodel_url, settings.namespace, readers=READERS, deadline_s=deadline_s)


def _sole_use(settings: Settings) -> "AbstractContextManager[object]":
    from flatline.local.lock import sole_use_of

    # Of a database, the processes agree among themselves who writes.
    return sole_use_of(settings.data_dir / "readmodel") if settings.readmodel_url is None else nullcontext()


def _summaries(settings: Settings, api: "Api", now_ms: Callable[[], int]) -> Iterator[Coroutine[Any, Any, None]]:
    """Yield what sends the summary of each week, where that is wanted."""
    from zoneinfo import ZoneInfo

    from flatline.readmodel.queries.weekly import weekly_summary
    from flatline.weekly.sending import Schedule, WeeklySummaries, webhook_in

    file = settings.slack_webhook_url_file
    if settings.summary_at is None or file is None:
        return
    yield WeeklySummaries(
        Schedule.of(settings.summary_at, ZoneInfo(settings.summary_time_zone)),
        lambda until, zone: api.asking.ask(
            lambda connection: weekly_summary(connection, until=until, zone=zone, now_ms=now_ms())
        ),
        webhook=webhook_in(file).read,
        page_url=settings.page_url,
        sent_file=settings.data_dir / "summary-sent",
        now_ms=now_ms,
    ).run()


def _policy_lab(written: "PolicyFile", policy: "Policy") -> "PolicyLab":
    from flatline.readmodel.policy_lab import PolicyLab

    return PolicyLab(written, policy.hazard)


def _page(
    api: "Api",
    follower: "Follower",
    access: "Access",
    policy_lab: "PolicyLab",
    *,
    now_ms: Callable[[], int],
    partitions: int,
    may_write: bool,
) -> "Page":
    from flatline.api.access import ScopedTokens
    from flatline.page.app import Page
    from flatline.page.forms import Forms

    return Page(
        api.asking.ask,
        now_ms=now_ms,
        waiting=lambda: _waiting(follower.progress),
        partitions=partitions,
        wall_ms=WallClock().now_ms,
        is_token=access.is_token if isinstance(access, ScopedTokens) else None,
        forms=Forms(access, may_write=may_write),
        mark=api.writing.mark_alert,
        snoozing=api.snoozing,
        annotating=api.annotating,
        resend=api.resending.resend,
        policy_lab=policy_lab,
    )


def _waiting(progress: "Progress") -> str:
    """Say what the read model lacks, if that is more than what has just come."""
    if progress.waiting is None or (progress.is_current and progress.waiting < _WORTH_SAYING):
        return ""
    return f"{progress.waiting:,} records are still to be read."


def _topics(settings: Settings) -> "tuple[Topics, bool]":
    """Return the topics that serve, and whether we may write to them. A page of this machine may do without that."""
    from flatline.generations import serving_topics
    from flatline.kafka.permissions import Role
    from flatline.kafka.permitted import NotPermittedError

    try:
        return serving_topics(settings, Role.READ_MODEL, Role.CONNECTORS), True
    except NotPermittedError as error:
        if settings.serve_tokens_file is not None:
            raise
        topics = serving_topics(settings, Role.READ_MODEL)
        logging.getLogger("flatline.serve").warning("Nothing can be written: %s", error)
        return topics, False
