import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from flatline.doctor.check_result import CheckResult, worst
from flatline.doctor.http import Server, Unanswered
from flatline.local.pace import Pace, duration_ms
from flatline.local.prometheus import rules_at

_WHAT: Final = "rules"
_RELOAD: Final = "add deploy/prometheus/rules to Prometheus' rule_files and reload it (SIGHUP, or restart)"


class _Rule(NamedTuple):
    """The parts of a rule that decide what it does, with the query in Prometheus' own spelling."""

    query: str
    for_ms: int
    keep_firing_for_ms: int
    labels: tuple[tuple[str, str], ...]
    annotations: tuple[tuple[str, str], ...]


async def examine_rules(server: Server, pace: Pace) -> CheckResult:
    """Compare the rules that Prometheus has with those of deploy/prometheus/rules. Raises Unanswered."""
    declared = [rule for file in rules_at(pace).values() for group in file["groups"] for rule in group["rules"]]
    groups = (await server.json("/api/v1/rules"))["data"]["groups"]
    names = {_name(rule) for rule in declared}
    loaded = [rule for group in groups for rule in group["rules"] if rule["name"] in names]
    missing = sorted(names - {rule["name"] for rule in loaded})
    unhealthy = sorted({f"{rule['name']}: {rule.get('lastError')}" for rule in loaded if rule["health"] == "err"})
    unknown = sum(rule["health"] == "unknown" for rule in loaded)
    try:
        outdated, not_compared = await _outdated(server, declared, loaded), []
    except Unanswered as cause:
        outdated, not_compared = [], [f"not compared with the files: {cause}"]
    return worst(
        _WHAT,
        wrong=[
            *([f"not loaded: {', '.join(missing)}"] if missing else []),
            *([f"not as in the files: {', '.join(outdated)}"] if outdated else []),
            *([_RELOAD] if missing or outdated else []),
            *unhealthy,
        ],
        look=not_compared + ([f"{unknown} were not evaluated yet; look again in a minute"] if unknown else []),
        fine=f"all {len(declared)} are loaded, as in the files",
    )


async def _outdated(server: Server, declared: list[Mapping[str, Any]], loaded: list[Mapping[str, Any]]) -> list[str]:
    """Return the names of loaded rules that differ, each with the parts that differ."""
    spelt = await _spelt(server, {rule["expr"] for rule in declared} | {rule["query"] for rule in loaded})
    expected: dict[str, list[_Rule]] = defaultdict(list)
    for rule in declared:
        expected[_name(rule)].append(
            _Rule(
                spelt[rule["expr"]],
                duration_ms(str(rule.get("for", "0"))),
                duration_ms(str(rule.get("keep_firing_for", "0"))),
                _sorted(rule.get("labels")),
                _sorted(rule.get("annotations")),
            )
        )
    found: dict[str, list[_Rule]] = defaultdict(list)
    for rule in loaded:
        found[rule["name"]].append(
            _Rule(
                spelt[rule["query"]],
                round(1000 * rule.get("duration", 0)),
                round(1000 * rule.get("keepFiringFor", 0)),
                _sorted(rule.get("labels")),
                _sorted(rule.get("annotations")),
            )
        )
    return [
        f"{name} ({', '.join(differs)})"
        for name in sorted(found)
        if (differs := _differences(expected[name], found[name]))
    ]


def _differences(expected: Iterable[_Rule], found: Iterable[_Rule]) -> list[str]:
    expected, found = sorted(expected), sorted(found)
    if expected == found:
        return []
    pairs = list(zip(expected, found, strict=False))
    differing = [field for field in _Rule._fields if any(getattr(a, field) != getattr(b, field) for a, b in pairs)]
    return [_WORDS[field] for field in differing] or ["how many there are"]


_WORDS: Final = {
    "query": "expr",
    "for_ms": "for",
    "keep_firing_for_ms": "keep_firing_for",
    "labels": "labels",
    "annotations": "annotations",
}


async def _spelt(server: Server, queries: Iterable[str]) -> Mapping[str, str]:
    """Return each query as Prometheus spells it. Raises Unanswered."""

    async def spelt(query: str) -> str:
        return str((await server.json("/api/v1/format_query", {"query": query}))["data"])

    queries = list(queries)
    return dict(zip(queries, await asyncio.gather(*map(spelt, queries)), strict=True))


def _name(rule: Mapping[str, Any]) -> str:
    return str(rule.get("alert") or rule["record"])


def _sorted(texts: Mapping[str, Any] | None) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, str(text)) for name, text in (texts or {}).items()))
