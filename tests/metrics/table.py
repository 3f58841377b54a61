"""Makes deploy/prometheus/METRICS.md: `python -m tests.metrics.table`."""

from collections.abc import Iterable, Iterator

from prometheus_client.parser import text_string_to_metric_families

from tests.deploy.alert_rules import DEPLOY, rules
from tests.metrics.expositions import connect_exposition, ingest_exposition, serve_exposition, worker_exposition

FILE = DEPLOY / "prometheus" / "METRICS.md"

_HEAD = """# Metrics

Each process has a `/metrics` endpoint. Durations are in seconds and timestamps in seconds since
1970; names follow Prometheus' conventions. A worker exposes fewer than 5,000 series, however many articles it has:
only articles on the watch list (registered ones first, by tier, then those in trouble) have series of their own,
and `flatline_watch_list_left_out` counts the articles that do not fit. Partitions that a worker gives up disappear
from its next scrape. `article` is the article's URL without its scheme.

This file is generated (`python -m tests.metrics.table`), and a test compares it with what is exposed. All
processes also expose Python's own `process_*` and `python_*` metrics.
"""

_RECORDED = """
## Recorded

Series that Prometheus records by [the rules](rules), named `level:metric:operations`; the level names the labels
that are left.

| series | from |
|---|---|
"""


def table() -> str:
    """Return the whole document."""
    recorded = {rule["record"]: " ".join(str(rule["expr"]).split()) for rule in rules() if "record" in rule}
    rows = (f"| `{name}` | `{expression.replace('|', chr(92) + '|')}` |\n" for name, expression in recorded.items())
    sections = (
        ("The worker", worker_exposition()),
        ("The ingest", ingest_exposition()),
        ("The API", serve_exposition()),
        ("Connectors (`flatline connect run`)", connect_exposition()),
    )
    return _HEAD + "".join(_section(*section) for section in sections) + _RECORDED + "".join(rows)


def _section(heading: str, exposition: str) -> str:
    rows = "".join(f"| {' | '.join(row)} |\n" for row in _rows(exposition))
    return f"\n## {heading}\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n{rows}"


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
