"""Queries as trees."""

import re
from datetime import timedelta
from typing import Final

import promql_parser
from promql_parser import Call, Expr, MatchOp, MatrixSelector, VectorSelector

# Lengths that nobody writes stand for what Grafana puts in: they are found again in the tree.
RATE_INTERVAL: Final = timedelta(seconds=1_000_003)
_STAND_INS: Final = {"__rate_interval": "1000003s", "__interval": "1000033s", "__range": "1000037s"}
_BUILT_IN: Final = re.compile(r"\$\{?(__rate_interval|__interval|__range)\b\}?")
_RATES: Final = {"rate", "irate", "increase"}

Node = tuple[Expr, list[Expr]]


def tree_of(query: str) -> list[Node]:
    """Return each node of a query with its ancestors, the nearest last. Raises ValueError for what isn't PromQL."""
    nodes: list[Node] = []
    path: list[Expr] = []

    def enter(node: Expr) -> None:
        nodes.append((node, list(path)))
        path.append(node)

    def leave(_node: Expr) -> None:
        path.pop()

    query = _BUILT_IN.sub(lambda found: _STAND_INS[found[1]], query)
    promql_parser.walk(promql_parser.parse(query), enter, leave)
    return nodes


def selectors(query: str) -> list[VectorSelector]:
    """Return all that a query selects."""
    return [node for node, _ in tree_of(query) if isinstance(node, VectorSelector)]


def metrics(query: str) -> set[str]:
    """Return the metrics that a query names."""
    return {selector.name for selector in selectors(query) if selector.name}


def has_matcher(selector: VectorSelector, label: str, value: str, op: MatchOp = MatchOp.Re) -> bool:
    """Whether a selector has label=~"value", or another operator."""
    return any(
        matcher.name == label and matcher.op == op and matcher.value == value for matcher in selector.matchers.matchers
    )


def is_of_rules(selector: VectorSelector) -> bool:
    """Whether Prometheus made the series by a rule: those need not be of any one job or instance."""
    name = str(selector.name)
    return ":" in name or name.startswith("ALERTS")


def raw_counters(query: str) -> list[str]:
    """Return the counters that a query shows as they are, not how fast they grow."""
    return [
        str(node.name)
        for node, path in tree_of(query)
        if isinstance(node, VectorSelector) and str(node.name).endswith("_total") and not _is_rate(path)
    ]


def _is_rate(path: list[Expr]) -> bool:
    return (
        len(path) > 1
        and isinstance(path[-1], MatrixSelector)
        and isinstance(path[-2], Call)
        and path[-2].func.name in _RATES
    )


def rates_over_fixed_ranges(query: str) -> list[str]:
    """Return the rates of a query that are taken over a length of somebody's choice."""
    return [
        node.prettify()
        for node, path in tree_of(query)
        if isinstance(node, MatrixSelector)
        and node.range != RATE_INTERVAL
        and path
        and isinstance(path[-1], Call)
        and path[-1].func.name in {"rate", "irate"}
    ]
