"""Makes deploy/prometheus/METRICS.md: `python -m tests.metrics.table`."""

from collections.abc import Iterable, Iterator

from prometheus_client.parser import text_string_to_metric_families

from tests.deploy.alert_rules import DEPLOY, rules
from tests.metrics.expositions import ingest_exposition, worker_exposition

FILE = DEPLOY / "prometheus" / "METRICS.md"

_HEAD = """# Metrics

Each worker and the ingest have a `/metrics`. Durations are seconds, instants seconds since 1970; names follow
Prometheus' rules. A worker shows fewer than 5,000 series however many articles it has: articles have series of their
own only on the watch list (registered tiers first, then those in trouble), and `flatline_watch_list_left_out` says how
many had no room. What a worker no longer owns is gone from its next scrape. `article` is the address without its
scheme.

This file is generated (`python -m tests.metrics.table`), and a test holds it to what is exposed. Python's own
`process_*` and `python_*` metrics come with both.
"""

_RECORDED = """
## Recorded

What Prometheus records by [its rules](rules), as `level:metric:operations`; the level names the labels that are left.

| series | from |
|---|---|
"""


def table() -> str:
    """Return the whole document."""
    recorded = {rule["record"]: " ".join(str(rule["expr"]).split()) for rule in rules() if "record" in rule}
    rows = (f"| `{name}` | `{expression.replace('|', chr(92) + '|')}` |\n" for name, expression in recorded.items())
    sections = (("The worker", worker_exposition()), ("The ingest", ingest_exposition()))
    return _HEAD + "".join(_section(*section) for section in sections) + _RECORDED + "".join(rows)


def _section(heading: str, exposition: str) -> str:
    rows = "".join(f"| {' | '.join(row)} |\n" for row in _rows(exposition))
    return f"\n## {heading}\n\n| metric | type | labels | what to make of it |\n|---|---|---|---|\n{rows}"


def _rows(exposition: str) -> Iterator[tuple[str, ...]]:
    for family in text_string_to_metric_families(exposition):
        if family.name.startswith("flatline_"):
            name = family.name + ("_total" if family.type == "counter" else "")
            labels = dict.fromkeys(label for sample in family.samples for label in sample.labels if label != "le")
            yield f"`{name}`", family.type, _named(labels), family.documentation


def _named(labels: Iterable[str]) -> str:
    return ", ".join(f"`{label}`" for label in labels)


if __name__ == "__main__":
    FILE.write_text(table())
