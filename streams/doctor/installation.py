import asyncio
import ssl
from collections.abc import Sequence
from typing import Final

from flatline.doctor.alertmanager import NAME as ALERTMANAGER
from flatline.doctor.alertmanager import examine_alertmanager
from flatline.doctor.check_result import CheckResult
from flatline.doctor.http import Server, Session, session
from flatline.doctor.kafka import examine_kafka
from flatline.doctor.prometheus import NAME as PROMETHEUS
from flatline.doctor.prometheus import examine_prometheus, is_young
from flatline.doctor.send_alert import WHAT as TEST_ALERT
from flatline.doctor.send_alert import send_test_alert
from flatline.doctor.services import examine_readiness, examine_tokens
from flatline.errors import FlatlineError
from flatline.local.pace import Pace
from flatline.settings import Settings

NOT_NAMED: Final = CheckResult.look(
    "installation",
    "not looked at: set FLATLINE_KAFKA_BOOTSTRAP (and FLATLINE_PROMETHEUS_URL, FLATLINE_ALERTMANAGER_URL) as the "
    "workers have them, or name the folder of a running `flatline up` with --data-dir",
)


class AuthoritiesError(FlatlineError):
    """The file of the certificate authorities can't be used."""

    remedy = "Have FLATLINE_TLS_CA_FILE name a file of certificates (PEM), or unset it."


def examine_installation(settings: Settings) -> list[CheckResult]:
    """Check the running installation that the settings name: Kafka, the processes that read it, and the monitoring."""
    return asyncio.run(_examine(settings))


def deliver_test_alert(settings: Settings) -> list[CheckResult]:
    """Send a test alert through the installation's Alertmanager, and report who gets it. Takes up to minutes."""
    return asyncio.run(_deliver(settings))


async def _examine(settings: Settings) -> list[CheckResult]:
    async with session(_trusting(settings)) as asking:
        worker = Server(f"{settings.scheme}://{settings.worker_host}:{settings.worker_port}", asking)
        ingest = Server(f"{settings.scheme}://{settings.ingest_host}:{settings.ingest_port}", asking)
        parts: Sequence[list[CheckResult]] = await asyncio.gather(
            asyncio.to_thread(examine_kafka, settings),
            examine_readiness("worker", worker),
            examine_readiness("ingest", ingest),
            asyncio.to_thread(examine_tokens, settings),
            _examine_monitoring(settings, asking),
        )
    return [finding for part in parts for finding in part]


async def _examine_monitoring(settings: Settings, asking: Session) -> list[CheckResult]:
    prometheus = _server(settings.prometheus_url, asking)
    alertmanager = _server(settings.alertmanager_url, asking)
    findings = []
    if prometheus:
        findings += await examine_prometheus(prometheus, alertmanager, Pace(settings.clock_speed))
    else:
        findings.append(CheckResult.look(PROMETHEUS, "not looked at: set FLATLINE_PROMETHEUS_URL"))
    if alertmanager:
        is_fed = not (prometheus and await is_young(prometheus))
        findings += await examine_alertmanager(alertmanager, is_fed=is_fed)
    else:
        findings.append(CheckResult.look(ALERTMANAGER, "not looked at: set FLATLINE_ALERTMANAGER_URL"))
    return findings


async def _deliver(settings: Settings) -> list[CheckResult]:
    async with session(_trusting(settings)) as asking:
        if alertmanager := _server(settings.alertmanager_url, asking):
            return await send_test_alert(alertmanager, page_url=settings.page_url)
    return [CheckResult.wrong(TEST_ALERT, "not sent: start `flatline up`, or set FLATLINE_ALERTMANAGER_URL")]


def _trusting(settings: Settings) -> ssl.SSLContext | None:
    """Return whom `doctor` trusts, if not the system's authorities alone. Raises AuthoritiesError."""
    if settings.tls_ca_file is None:
        return None
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(settings.tls_ca_file)
    except OSError as error:
        raise AuthoritiesError(f"{settings.tls_ca_file} can't be used: {error}") from None
    return context


def _server(url: str | None, asking: Session) -> Server | None:
    return Server(url, asking) if url else None
