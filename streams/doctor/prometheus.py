from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from flatline.doctor.check_result import CheckResult, worst
from flatline.doctor.http import Server, Unanswered
from flatline.doctor.rules import examine_rules
from flatline.local.pace import Pace

NAME: Final = "Prometheus"
_TARGETS: Final = "scrape targets"
# The jobs that the rules and the dashboards refer to.
_JOBS: Final = ("flatline-worker", "flatline-ingest")
# An alert that fires before it has found its Alertmanagers (5 s) is sent again after a minute, and not earlier.
_YOUNG: Final = timedelta(minutes=2)


async def is_young(server: Server) -> bool:
    """Whether Prometheus was started just now, so that missing data may still come."""
    try:
        return _was_just_started((await server.json("/api/v1/status/runtimeinfo"))["data"])
    except (Unanswered, KeyError, TypeError, ValueError):
        return False


def _was_just_started(running: Mapping[str, Any]) -> bool:
    return datetime.now(UTC) - datetime.fromisoformat(running["startTime"]) < _YOUNG


async def examine_prometheus(server: Server, alertmanager: Server | None, pace: Pace) -> list[CheckResult]:
    """Check Prometheus' configuration, its targets, its rules, and its Alertmanagers."""
    try:
        running = (await server.json("/api/v1/status/runtimeinfo"))["data"]
        targets = (await server.json("/api/v1/targets", {"state": "active"}))["data"]["activeTargets"]
        alertmanagers = (await server.json("/api/v1/alertmanagers"))["data"]["activeAlertmanagers"]
        may_come = _was_just_started(running)
        return [
            CheckResult.fine(NAME, f"answers at {server.shown}"),
            _examine_configuration(running),
            _examine_targets(targets, may_come=may_come),
            await examine_rules(server, pace),
            _examine_alertmanagers(alertmanagers, alertmanager, may_come=may_come),
        ]
    except Unanswered as cause:
        return [CheckResult.wrong(NAME, f"{server.shown} {cause}; start it, or correct FLATLINE_PROMETHEUS_URL")]
    except (KeyError, TypeError, ValueError):
        remedy = "correct FLATLINE_PROMETHEUS_URL"
        return [CheckResult.wrong(NAME, f"{server.shown} does not answer as Prometheus does: {remedy}")]


def _examine_configuration(running: Mapping[str, Any]) -> CheckResult:
    what = "Prometheus' configuration"
    if running["reloadConfigSuccess"]:
        return CheckResult.fine(what, f"loaded at {running['lastConfigTime']}")
    remedy = "`promtool check config` and its log show the mistake"
    return CheckResult.wrong(
        what, f"could not be loaded, so the one of {running['lastConfigTime']} is in force: {remedy}"
    )


def _examine_targets(targets: list[Mapping[str, Any]], *, may_come: bool) -> CheckResult:
    ours = [target for target in targets if target["labels"].get("job") in _JOBS]
    missing = [job for job in _JOBS if not any(target["labels"]["job"] == job for target in ours)]
    if missing and may_come:
        return CheckResult.look(
            _TARGETS, "Prometheus was started just now and has not found all; look again in a minute"
        )
    unset = [
        f"{job} has no target: see `flatline instances list`, and http_sd_configs in prometheus.yml" for job in missing
    ]
    named = {id(target): f"{target['labels']['job']} {target['labels'].get('instance', '')}" for target in ours}
    down = [
        f"{named[id(target)]} is down: {target['lastError'] or 'no reason given'}"
        for target in ours
        if target["health"] == "down"
    ]
    unknown = [f"{named[id(target)]} was not scraped yet" for target in ours if target["health"] == "unknown"]
    return worst(_TARGETS, wrong=unset + down, look=unknown, fine=f"all {len(ours)} are up")


def _examine_alertmanagers(
    active: list[Mapping[str, Any]], alertmanager: Server | None, *, may_come: bool
) -> CheckResult:
    what = "Prometheus' Alertmanagers"
    told = [urlsplit(each["url"]).netloc.rpartition("@")[2] for each in active]
    if not told and may_come:
        return CheckResult.look(what, "Prometheus was started just now and has found none yet; look again in a minute")
    if not told:
        return CheckResult.wrong(what, "Prometheus has none, so alerts go nowhere: add it under `alerting`")
    if alertmanager and urlsplit(alertmanager.shown).netloc not in told:
        return CheckResult.look(
            what, f"alerts go to {', '.join(told)}; FLATLINE_ALERTMANAGER_URL is {alertmanager.shown}"
        )
    return CheckResult.fine(what, ", ".join(told))
