"""Alertmanager's configuration with routes of their own for sites that have a channel or a time zone."""

import re
from collections.abc import Iterable, Iterator
from copy import deepcopy
from typing import Any, Final, NamedTuple

import orjson

from flatline.schema.site_record import SiteRecord

_INTERVALS: Final = ("active_time_intervals", "mute_time_intervals")
_ABOUT_SITES: Final = re.compile(r"^\s*alertname\s*=~?.*(?:Article|Group)")
_WEBHOOK: Final = "/etc/flatline/slack-webhook-url-{}"


class Destination(NamedTuple):
    """Where the alerts on a site go, and by which clock; empty: as without a record."""

    channel: str
    time_zone: str


def destinations(records: Iterable[SiteRecord]) -> list[Destination]:
    """Return those of one's own sites that are not the usual one, in order."""
    named = {Destination(each.channel or "", each.time_zone or "") for each in records if each.role == "own"}
    return sorted(named - {Destination("", "")})


def with_routes(configuration: dict[str, Any], chosen: Iterable[Destination]) -> dict[str, Any]:
    """Return the configuration with, for each destination, its routes about articles and groups once more.

    They come first and differ in receivers and time intervals: a receiver of a channel has a webhook of its own, and an
    interval of a time zone has that zone's clock. Expected: `route.routes[]` with `matchers`, and `receivers[]` that
    send to Slack by `slack_configs`. Other receivers are shared.
    """
    chosen = list(chosen)
    models = [route for route in configuration["route"].get("routes", []) if _is_about_sites(route)]
    routes = [_for(route, destination, configuration) for destination in chosen for route in models]
    return {
        **configuration,
        "time_intervals": [*configuration.get("time_intervals", []), *_intervals(configuration, models, chosen)],
        "route": {**configuration["route"], "routes": [*routes, *configuration["route"].get("routes", [])]},
        "receivers": [*configuration["receivers"], *_receivers(configuration, models, chosen)],
    }


def _is_about_sites(route: dict[str, Any]) -> bool:
    return any(_ABOUT_SITES.search(matcher) for matcher in route.get("matchers", []))


def _walk(route: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield route
    for child in route.get("routes", []):
        yield from _walk(child)


def _for(route: dict[str, Any], destination: Destination, configuration: dict[str, Any]) -> dict[str, Any]:
    copy = deepcopy(route)
    labels = [f"{name} = {orjson.dumps(value).decode()}" for name, value in destination._asdict().items()]
    # The route for what notifies nobody comes after these.
    copy["matchers"] = [*copy["matchers"], 'severity != "none"', *labels]
    slack = _slack_receivers(configuration)
    for each in _walk(copy):
        if each.get("receiver") in slack:
            each["receiver"] = _receiver_name(each["receiver"], destination)
        for key in _INTERVALS:
            if key in each:
                each[key] = [_interval_name(name, destination) for name in each[key]]
    return copy


def _receiver_name(name: str, destination: Destination) -> str:
    return f"{name}-{destination.channel}" if destination.channel else name


def _interval_name(name: str, destination: Destination) -> str:
    return f"{name}-{destination.time_zone}" if destination.time_zone else name


def _slack_receivers(configuration: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in configuration["receivers"] if each.get("slack_configs")}


def _receivers(
    configuration: dict[str, Any], models: list[dict[str, Any]], chosen: list[Destination]
) -> Iterator[dict[str, Any]]:
    """Yield the receivers of each channel."""
    slack = _slack_receivers(configuration)
    used = dict.fromkeys(each.get("receiver") for route in models for each in _walk(route))
    for channel in dict.fromkeys(each.channel for each in chosen if each.channel):
        for name in used:
            if name in slack:
                receiver = deepcopy(slack[name])
                receiver["name"] = f"{name}-{channel}"
                for config in receiver["slack_configs"]:
                    config.pop("api_url", None)
                    config["api_url_file"] = _WEBHOOK.format(channel)
                yield receiver


def _intervals(
    configuration: dict[str, Any], models: list[dict[str, Any]], chosen: list[Destination]
) -> Iterator[dict[str, Any]]:
    """Yield the time intervals by the clock of each time zone."""
    known = {each["name"]: each for each in configuration.get("time_intervals", [])}
    used = dict.fromkeys(
        name for route in models for each in _walk(route) for key in _INTERVALS for name in each.get(key, [])
    )
    for zone in dict.fromkeys(each.time_zone for each in chosen if each.time_zone):
        for name in used:
            if name in known:
                interval = deepcopy(known[name])
                interval["name"] = f"{name}-{zone}"
                for each in interval["time_intervals"]:
                    each["location"] = zone
                yield interval
