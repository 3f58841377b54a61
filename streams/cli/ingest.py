"""`flatline ingest`."""

import asyncio
import gc
import ipaddress
import time
from dataclasses import fields
from typing import TYPE_CHECKING, Final

import typer

from flatline.cli.logs import announce, set_up_logs
from flatline.cli.options import with_settings
from flatline.clock import clock_from
from flatline.settings import Settings

if TYPE_CHECKING:
    from flatline_connectors.ingest.limits import Limits
    from flatline_connectors.ingest.metrics import IngestMetrics
    from flatline_connectors.sending.producer import Producer
    from flatline_connectors.webmention.service import WebmentionService
    from flatline_connectors.webmention_io.hook import WebHook

INGEST_SETTINGS: Final = tuple(name for name in Settings.model_fields if name.startswith("ingest_"))


@with_settings(*INGEST_SETTINGS, of="ingest_")
def ingest(*, settings: Settings) -> None:
    """Run the HTTP server that crawlers push to, until it is stopped.

    POST /v1/links, /v1/visits and /v1/heartbeats. It answers a request when Kafka has stored all of it. With
    --webmention-sites it receives Webmentions at /webmention, and with --webmention-io-secret-file the notices of
    webmention.io at /webmention-io.
    """
    from prometheus_client import CollectorRegistry

    from flatline.agents.topic_reader import TopicReader
    from flatline.discovery.discovery import Discovery
    from flatline_connectors.ingest.app import Ingest
    from flatline_connectors.ingest.auth import Anyone, Tokens
    from flatline_connectors.ingest.heartbeats import Heartbeats
    from flatline_connectors.ingest.limits import Limits
    from flatline_connectors.ingest.metrics import IngestMetrics
    from flatline_connectors.ingest.server import is_kafka_reachable, serve
    from flatline_connectors.sending.producer import Producer

    set_up_logs(settings)
    # As in an import: much waits for Kafka, and none of it is garbage.
    gc.set_threshold(100_000)
    from flatline.generations import serving_topics
    from flatline.kafka.permissions import Role

    host, port = settings.ingest_host, settings.ingest_port
    tokens_file, no_auth = settings.ingest_tokens_file, settings.ingest_no_auth
    if no_auth and not _is_loopback(host):
        raise typer.BadParameter(f"--no-auth is only allowed on loopback addresses; {host} is open to other machines.")
    if not no_auth and tokens_file is None:
        raise typer.BadParameter(
            "--tokens-file (or FLATLINE_INGEST_TOKENS_FILE) is missing; use --no-auth to run without tokens."
        )
    authority = Anyone() if no_auth or tokens_file is None else Tokens(tokens_file)
    cluster, topics = settings.cluster, serving_topics(settings, Role.INGEST)
    limits = Limits(**{each.name: getattr(settings, f"ingest_{each.name}") for each in fields(Limits)})
    tls = settings.server_context
    discovery = Discovery(settings, topics, role="ingest", host=host, port=port)
    heartbeats = Heartbeats(default_period_s=settings.ingest_heartbeat_period_s)

    async def run(producer: Producer) -> None:
        listen = TopicReader(cluster=cluster, topic=topics.heartbeats, receive=heartbeats.receive)
        running = [asyncio.create_task(listen.run()), asyncio.create_task(discovery.reads())]
        metrics = IngestMetrics(CollectorRegistry())
        mentions = _webmention_service(settings, producer, metrics, limits)
        if mentions is not None:
            running.append(asyncio.create_task(mentions.run()))
        hook = _web_hook(settings, producer, metrics, limits)
        routes = [*(mentions.routes if mentions is not None else ()), *(hook.routes() if hook is not None else ())]
        receiver = Ingest(
            producer,
            authority,
            metrics,
            limits=limits,
            heartbeats=heartbeats,
            caught_up=listen.caught_up,
            is_kafka_reachable=lambda: is_kafka_reachable(cluster),
            discovery=discovery.answer,
            further_routes=routes,
        )
        await listen.current()  # before that it would not know what sources declared

        def listens() -> None:
            running.append(asyncio.create_task(discovery.announces()))
            announce(settings, f"The ingest listens on {settings.scheme}://{host}:{port}")

        try:
            await serve(
                receiver,
                host=host,
                port=port,
                tls=tls,
                on_listening=listens,
                on_hangup=authority.reload,
            )
        finally:
            await discovery.end()
            for task in running:
                task.cancel()

    with Producer(cluster, topics, now_ms=clock_from(settings).now_ms, linger_ms=5) as producer:
        asyncio.run(run(producer))


def _webmention_service(
    settings: Settings, producer: "Producer", metrics: "IngestMetrics", limits: "Limits"
) -> "WebmentionService | None":
    if settings.ingest_webmention_sites is None:
        return None
    from flatline.cli.link_files import is_on
    from flatline_connectors.fetching.addresses import public_or_in
    from flatline_connectors.fetching.fetcher import user_agent
    from flatline_connectors.ingest.batches import BatchSender
    from flatline_connectors.webmention.service import WebmentionService, WebmentionSettings

    sites = settings.ingest_webmention_sites.split(",")
    how = WebmentionSettings(
        file=settings.data_dir / "webmentions.sqlite",
        is_ours=is_on(sites),
        user_agent=user_agent(settings.fetch_contact or f"https://{sites[0]}/"),
        may_connect=public_or_in(settings.fetch_networks or ""),
    )
    return WebmentionService(
        how, producer=producer, batches=BatchSender(producer, limits, now_s=time.monotonic), metrics=metrics
    )


def _web_hook(settings: Settings, producer: "Producer", metrics: "IngestMetrics", limits: "Limits") -> "WebHook | None":
    if settings.ingest_webmention_io_secret_file is None:
        return None
    from flatline.cli.link_files import is_on
    from flatline.domain.time import to_datetime
    from flatline_connectors.ingest.batches import BatchSender
    from flatline_connectors.webmention_io.hook import WebHook, secret_of
    from flatline_connectors.webmention_io.mentions import Wanted

    batches = BatchSender(producer, limits, now_s=time.monotonic)

    sites = settings.ingest_webmention_sites
    return WebHook(
        secret_of(settings.ingest_webmention_io_secret_file),
        Wanted(is_on(sites.split(",")) if sites else None),
        send=batches.take_link,
        now=lambda: to_datetime(producer.now_ms()),
        counted=lambda outcome: metrics.webmention_io_notices.labels(outcome=outcome).inc(),
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
