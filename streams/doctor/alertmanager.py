from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import yaml

from flatline.doctor.check_result import CheckResult, worst
from flatline.doctor.http import Server, Unanswered
from flatline.doctor.samples import Samples
from flatline_deploy import DEPLOY

_OURS: Final = DEPLOY / "alertmanager" / "alertmanager.yml"
NAME: Final = "Alertmanager"
_WATCHDOG: Final = "Watchdog"
# Helpers of inhibition and the watchdog: they say nothing to anybody.
_TO_NOBODY: Final = "none"
_SLACK_REMEDY: Final = "put a webhook's URL into a file and set FLATLINE_SLACK_WEBHOOK_URL_FILE"


@dataclass(frozen=True)
class Configuration:
    """The configuration that a running Alertmanager reports, without its secrets."""

    content: Mapping[str, Any]

    @classmethod
    async def of(cls, server: Server) -> Self:
        """Ask for it. Raises Unanswered."""
        return cls(yaml.safe_load((await server.json("/api/v2/status"))["config"]["original"]))

    def integrations(self) -> dict[str, Counter[str]]:
        """Return how many integrations of each kind (slack, email, webhook) each receiver has."""
        return {
            receiver["name"]: Counter(
                {key.removesuffix("_configs"): len(many) for key, many in receiver.items() if key.endswith("_configs")}
            )
            for receiver in self.content["receivers"]
        }


async def examine_alertmanager(server: Server, *, is_fed: bool) -> list[CheckResult]:
    """Look at what Alertmanager was told, whether alerts get to it, and at what it says to nobody at present.

    ``is_fed``: whether Prometheus has been up for long enough to have told it something.
    """
    try:
        configuration = await Configuration.of(server)
        metrics = Samples.of(await server.text("/metrics"))
        alerts = await server.json("/api/v2/alerts")
        silences = await server.json("/api/v2/silences")
        return [
            CheckResult.fine(NAME, f"answers at {server.shown}"),
            _examine_reload(metrics.total("alertmanager_config_last_reload_successful")),
            _examine_receivers(configuration),
            _examine_watchdog(alerts, is_fed=is_fed),
            _examine_alerts(alerts),
            _examine_silences(silences),
        ]
    except Unanswered as cause:
        return [CheckResult.wrong(NAME, f"{server.shown} {cause}; start it, or correct FLATLINE_ALERTMANAGER_URL")]
    except (KeyError, TypeError, ValueError, yaml.YAMLError):
        remedy = "correct FLATLINE_ALERTMANAGER_URL"
        return [CheckResult.wrong(NAME, f"{server.shown} does not answer as Alertmanager does: {remedy}")]


def _examine_reload(is_successful: float) -> CheckResult:
    remedy = "`amtool check-config` and its log show the mistake"
    return worst(
        "Alertmanager's configuration",
        wrong=[] if is_successful else [f"could not be loaded, so an older one is in force: {remedy}"],
        fine="loaded",
    )


def _examine_receivers(configuration: Configuration) -> CheckResult:
    integrations = configuration.integrations()
    ours = [receiver["name"] for receiver in yaml.safe_load(_OURS.read_text())["receivers"]]
    missing = [name for name in ours if name not in integrations]
    telling = [f"{name} ({', '.join(kinds)})" for name, kinds in integrations.items() if kinds]
    look = [f"deploy/alertmanager/alertmanager.yml has more: {', '.join(missing)}"] if missing else []
    if not telling:
        look.append(f"none of them sends anything, so alerts stay in Alertmanager: {_SLACK_REMEDY}")
    elif not any("slack" in kinds for kinds in integrations.values()):
        look.append(f"Slack is not among them: {_SLACK_REMEDY}")
    return worst("receivers", look=look, fine=", ".join(telling))


def _examine_watchdog(alerts: list[Mapping[str, Any]], *, is_fed: bool) -> CheckResult:
    what = "Prometheus → Alertmanager"
    last = max((alert["updatedAt"] for alert in alerts if alert["labels"]["alertname"] == _WATCHDOG), default=None)
    if last:
        return CheckResult.fine(what, f"the alert {_WATCHDOG}, which always fires, arrived at {last}")
    missing = f"the alert {_WATCHDOG}, which always fires, is not there"
    if not is_fed:
        return CheckResult.look(what, f"{missing} yet: Prometheus was started just now; look again in a minute")
    return CheckResult.wrong(
        what, f"{missing}, so no other alert would arrive either: look at Prometheus' `alerting`, rules and log"
    )


def _examine_alerts(alerts: list[Mapping[str, Any]]) -> CheckResult:
    firing = Counter(
        (alert["labels"]["alertname"], alert["status"]["state"])
        for alert in alerts
        if alert["labels"].get("severity") != _TO_NOBODY
    )
    said = [f"{count} {name}" for (name, state), count in sorted(firing.items()) if state != "suppressed"]
    unsaid = [f"{count} {name}" for (name, state), count in sorted(firing.items()) if state == "suppressed"]
    look = [f"firing: {', '.join(said)}"] if said else []
    if unsaid:
        look.append(f"firing but not sent, because of a silence or another alert: {', '.join(unsaid)}")
    return worst("alerts", look=look, fine="none is firing")


def _examine_silences(silences: list[Mapping[str, Any]]) -> CheckResult:
    active = [
        f"{_matchers(silence)} until {silence['endsAt']}, by {silence['createdBy']}: {silence['comment']}"
        for silence in silences
        if silence["status"]["state"] == "active"
    ]
    return worst("silences", look=active, fine="none is active")


def _matchers(silence: Mapping[str, Any]) -> str:
    operators = {(True, False): "=", (True, True): "=~", (False, False): "!=", (False, True): "!~"}
    return ", ".join(
        f"{each['name']}{operators[each.get('isEqual', True), each['isRegex']]}{each['value']}"
        for each in silence["matchers"]
    )
