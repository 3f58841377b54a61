"""`flatline instances check`, which containers' health checks run."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from flatline.cli.exit_codes import DONE, FAILED
from flatline.doctor.check_result import Sign
from flatline.doctor.readiness import readiness_here
from flatline.http import Endpoint
from flatline.local.ports import Ports
from flatline.settings import Settings
from tests.cli.in_process import flatline
from tests.kafka.certificates import Authority


async def _no_discovery(_request: web.Request) -> web.Response:
    return web.Response()


@asynccontextmanager
async def _listening(settings: Settings, *, not_ready: str | None = None) -> AsyncIterator[None]:
    """Have a worker's endpoint answer for the block."""
    endpoint = Endpoint(
        host=settings.worker_host,
        port=settings.worker_port,
        registry=CollectorRegistry(),
        not_live=lambda: None,
        not_ready=lambda: not_ready,
        discovery=_no_discovery,
        tls=settings.server_context,
    )
    await endpoint.start()
    try:
        yield
    finally:
        await endpoint.stop()


async def _asked(settings: Settings, *roles: str) -> list[tuple[str, Sign]]:
    found = await asyncio.to_thread(readiness_here, settings, roles)
    return [(each.what, each.sign) for each in found]


def _settings(folder: Path, **given: object) -> Settings:
    ports = Ports(folder / "ports.json")
    return Settings.model_validate(
        {f"{role}_port": ports.claim(role) for role in ("worker", "ingest", "serve", "connect")} | given
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::", "localhost"])
async def test_what_listens_is_asked_wherever_it_listens(host: str, tmp_path: Path) -> None:
    """Also what listens on all addresses; those that don't listen are left out unless they are named."""
    settings = _settings(tmp_path, worker_host=host)
    async with _listening(settings):
        assert await _asked(settings, "worker", "ingest", "serve", "connect") == [("worker", Sign.FINE)]
        assert await _asked(settings, "ingest") == [("ingest", Sign.WRONG)]
    assert await _asked(settings, "worker", "ingest") == [("instances", Sign.WRONG)]


async def test_one_that_is_not_ready_is_wrong(tmp_path: Path) -> None:
    """The answer says why."""
    settings = _settings(tmp_path)
    async with _listening(settings, not_ready="no partition is assigned"):
        assert await _asked(settings, "worker") == [("worker", Sign.WRONG)]


async def test_https_is_spoken_where_they_speak_it(tmp_path: Path) -> None:
    """Whatever host the certificate names: nothing secret is sent."""
    identity = Authority(tmp_path / "ca").issue("elsewhere.example")
    settings = _settings(
        tmp_path, worker_host="0.0.0.0", tls_certificate_file=identity.certificate, tls_key_file=identity.key
    )
    async with _listening(settings):
        assert await _asked(settings, "worker") == [("worker", Sign.FINE)]


async def test_the_exit_code_says_it(tmp_path: Path) -> None:
    """0 if all that listen are ready, else 1."""
    settings = _settings(tmp_path)
    for not_ready, code in ((None, DONE), ("restoring", FAILED)):
        async with _listening(settings, not_ready=not_ready):
            done = await asyncio.to_thread(flatline, "instances", "check", **settings.environment())
        assert done.returncode == code
        assert done.stdout.startswith("worker: ")
