"""`flatline doctor --send-test-alert`: sends an alert to Alertmanager, and checks that it reaches a receiver."""

import asyncio
import getpass
import socket
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import yaml

from flatline.doctor.alertmanager import Configuration
from flatline.doctor.check_result import CheckResult
from flatline.doctor.http import Server, Unanswered
from flatline.doctor.samples import Samples
from flatline.local.pace import duration_ms

WHAT: Final = "test alert"
_NAME: Final = "TestAlert"
# Should we be killed: it ends by itself.
_LASTS: Final = timedelta(minutes=10)
_LOOK_EVERY_S: Final = 0.5
# Beyond the longest group_wait: to send it, and to be refused.
_GRACE_S: Final = 20.0
# A refusal may be followed by a second attempt that is taken.
_AFTER_REFUSAL_S: Final = 5.0


async def send_test_alert(server: Server, *, page_url: str, by: str | None = None) -> list[CheckResult]:
    """Post an alert to Alertmanager, wait until it was sent or refused, and end it.

    Alertmanager says which receivers it goes to, and counts what each kind of integration has sent. So another message
    at the same time counts as ours.
    """
    try:
        configuration = await Configuration.of(server)
        before = await _counts(server)
        now = datetime.now(UTC)
        alert = _alert(by or f"{getpass.getuser()}@{socket.gethostname()}", now, f"{page_url}/runbook")
        await server.post("/api/v2/alerts", [alert | {"endsAt": (now + _LASTS).isoformat()}])
        try:
            return await _followed(server, alert, configuration, before)
        finally:
            await server.post("/api/v2/alerts", [alert | {"endsAt": datetime.now(UTC).isoformat()}])
    except Unanswered as cause:
        return [CheckResult.wrong(WHAT, f"Alertmanager at {server.shown} {cause}")]
    except (KeyError, TypeError, ValueError, yaml.YAMLError):
        return [CheckResult.wrong(WHAT, f"{server.shown} does not answer as Alertmanager does")]


def _alert(by: str, now: datetime, runbook_url: str) -> dict[str, Any]:
    return {
        "labels": {
            "alertname": _NAME,
            "severity": "info",
            # Alertmanager groups by series: each test is a group of its own, told after group_wait. In the group of an
            # earlier test it would wait for group_interval.
            "series": f"test {now:%Y-%m-%d %H:%M:%S.%f}",
        },
        "annotations": {
            "subject": f"{by}, {now:%Y-%m-%d %H:%M:%S} UTC",
            "summary": "A test of Flatline's alerts; nothing is wrong",
            "description": "Sent by `flatline doctor --send-test-alert`. If you can read this, alerts reach you.",
            "resolved": "The test is over.",
            "runbook_url": runbook_url,
        },
        "startsAt": now.isoformat(),
        "generatorURL": runbook_url,
    }


async def _counts(server: Server) -> Samples:
    return Samples.of(await server.text("/metrics"))


async def _followed(
    server: Server, alert: Mapping[str, Any], configuration: Configuration, before: Samples
) -> list[CheckResult]:
    """Return how the alert fared, by each integration that it should go through."""
    posted = await _posted(server, alert)
    receivers = [receiver["name"] for receiver in posted["receivers"]]
    goes_to = ", ".join(receivers)
    if posted["status"]["state"] == "suppressed":
        by = ", ".join(posted["status"]["silencedBy"] + posted["status"]["inhibitedBy"])
        return [CheckResult.wrong(WHAT, f"routed to {goes_to}, but not sent: silenced or inhibited by {by}")]
    integrations = configuration.integrations()
    expected: Counter[str] = sum((integrations[name] for name in receivers), Counter())
    if not expected:
        remedy = "give it one, for Slack by FLATLINE_SLACK_WEBHOOK_URL_FILE"
        return [CheckResult.wrong(WHAT, f"reached Alertmanager and stays there: {goes_to} has no webhook; {remedy}")]
    return await _awaited(server, goes_to, expected, before, _limit_s(configuration))


async def _posted(server: Server, alert: Mapping[str, Any]) -> dict[str, Any]:
    give_up_at_s = time.monotonic() + _GRACE_S
    series = alert["labels"]["series"]
    while True:
        found: list[dict[str, Any]] = await server.json("/api/v2/alerts", {"filter": f'series="{series}"'})
        # Silences and inhibition are looked up when the group is formed; until then it is unprocessed.
        if found and (found[0]["status"]["state"] != "unprocessed" or time.monotonic() > give_up_at_s):
            return found[0]
        if time.monotonic() > give_up_at_s:
            raise Unanswered("accepted the alert but does not list it")
        await asyncio.sleep(_LOOK_EVERY_S)


async def _awaited(
    server: Server, goes_to: str, expected: Counter[str], before: Samples, limit_s: float
) -> list[CheckResult]:
    started_s = time.monotonic()
    give_up_at_s = started_s + limit_s
    while True:
        after = await _counts(server)
        sent = {kind: _sent(kind, before, after) for kind in expected}
        if all(done >= expected[kind] for kind, (done, _) in sent.items()) or time.monotonic() > give_up_at_s:
            took_s = time.monotonic() - started_s
            return [_verdict(goes_to, kind, sent[kind], expected=expected[kind], took_s=took_s) for kind in expected]
        if any(refused for _, refused in sent.values()):
            give_up_at_s = min(give_up_at_s, time.monotonic() + _AFTER_REFUSAL_S)
        await asyncio.sleep(_LOOK_EVERY_S)


def _sent(kind: str, before: Samples, after: Samples) -> tuple[int, int]:
    """Return how many requests an integration has made since that were taken, and how many that were refused."""

    def since(name: str) -> int:
        return round(after.total(name, integration=kind) - before.total(name, integration=kind))

    refused = since("alertmanager_notification_requests_failed_total")
    return since("alertmanager_notification_requests_total") - refused, refused


def _verdict(goes_to: str, kind: str, sent: tuple[int, int], *, expected: int, took_s: float) -> CheckResult:
    taken, refused = sent
    if taken >= expected:
        return CheckResult.fine(
            WHAT, f"{goes_to} sent it by {kind}, which accepted it after {took_s:.0f} s: look for it there"
        )
    if refused:
        remedy = "is the URL the right one, does the channel exist? Alertmanager's log has the answer"
        return CheckResult.wrong(WHAT, f"{goes_to} sent it by {kind}, which refused it {refused} times: {remedy}")
    return CheckResult.wrong(
        WHAT,
        f"{goes_to} did not send it by {kind} within {took_s:.0f} s: a silent server, or a route outside its "
        f"hours? Alertmanager's log has the answer",
    )


def _limit_s(configuration: Configuration) -> float:
    return max(_group_waits_ms(configuration.content["route"])) / 1000 + _GRACE_S


def _group_waits_ms(route: Mapping[str, Any]) -> Iterator[int]:
    yield duration_ms(str(route.get("group_wait", "30s")))
    for child in route.get("routes", []):
        yield from _group_waits_ms(child)
