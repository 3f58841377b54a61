"""`flatline ingest`."""

import asyncio
import gc
import ipaddress
import logging
from pathlib import Path
from typing import Annotated

import typer

from streams.clock import clock_from
from streams.settings import load_settings


def ingest(
    host: Annotated[str | None, typer.Option(help="Address to listen on; else FLATLINE_INGEST_HOST")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; else FLATLINE_INGEST_PORT")] = None,
    *,
    tokens_file: Annotated[
        Path | None,
        typer.Option(help="Who may push: lines `source:token`; else FLATLINE_INGEST_TOKENS_FILE"),
    ] = None,
    no_auth: Annotated[bool, typer.Option("--no-auth", help="Let everyone on this machine push.")] = False,
    max_body_bytes: Annotated[int, typer.Option(min=1, help="Largest body.")] = 8 * 1024 * 1024,
    max_batch_events: Annotated[int, typer.Option(min=1, help="Most events in a request.")] = 10_000,
    max_events_per_s: Annotated[float, typer.Option(min=0.001, help="Most events/s of each source.")] = 20_000,
    max_requests: Annotated[int, typer.Option(min=1, help="Most requests at a time.")] = 64,
    heartbeat_period_s: Annotated[
        float, typer.Option(min=1, help="A source that pushed is expected again within so many seconds.")
    ] = 3600,
) -> None:
    """Take link events and visits over HTTP until told to stop: POST /v1/links and /v1/visits.

    Each is answered when Kafka has all of it.
    """
    from prometheus_client import CollectorRegistry

    from connectors.ingest.app import Ingest
    from connectors.ingest.auth import Anyone, Tokens
    from connectors.ingest.heartbeats import Heartbeats
    from connectors.ingest.limits import Limits
    from connectors.ingest.metrics import IngestMetrics
    from connectors.ingest.server import is_kafka_reachable, serve
    from connectors.producer import Producer

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # As in an import: much waits for Kafka, and none of it is garbage.
    gc.set_threshold(100_000)
    from streams.generations import serving_topics

    settings = load_settings()
    host, port = host or settings.ingest_host, port or settings.ingest_port
    tokens_file = tokens_file or settings.ingest_tokens_file
    if no_auth and not _is_loopback(host):
        raise typer.BadParameter(f"--no-auth is for this machine alone, and {host} is open to others.")
    if not no_auth and tokens_file is None:
        raise typer.BadParameter("--tokens-file (or FLATLINE_INGEST_TOKENS_FILE) is missing; --no-auth does without.")
    authority = Anyone() if no_auth or tokens_file is None else Tokens(tokens_file)
    topics = serving_topics(settings)
    bootstrap = settings.kafka_bootstrap
    with Producer(bootstrap, topics, now_ms=clock_from(settings).now_ms, linger_ms=5) as producer:
        receiver = Ingest(
            producer,
            authority,
            IngestMetrics(CollectorRegistry()),
            limits=Limits(
                body_bytes=max_body_bytes,
                batch_events=max_batch_events,
                events_per_s=max_events_per_s,
                requests_in_flight=max_requests,
            ),
            heartbeats=Heartbeats(period_s=heartbeat_period_s),
            is_kafka_reachable=lambda: is_kafka_reachable(bootstrap),
        )
        asyncio.run(
            serve(
                receiver,
                host=host,
                port=port,
                on_listening=lambda: typer.echo(f"The ingest listens on http://{host}:{port}"),
                on_hangup=authority.reload,
            )
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
