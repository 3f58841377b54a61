"""What Grafana puts in the place of variables before it sends a query to Prometheus.

https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables/, and of Grafana's source
packages/grafana-prometheus/src/escaping.ts.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from tests.grafana.dashboards import Variable

ALL: Final = "$__all"
_POINTS: Final = 1_000
_NAMED: Final = re.compile(r"\$(\w+)|\$\{(\w+)(?::(\w+))?\}|\[\[(\w+)\]\]")
# What stands in a string in a query: the backslash is escaped for the regex, and for the string.
_OF_REGEXES: Final = re.compile(r"[$^*{}\[\]+?.()|]")


class Span(NamedTuple):
    """A time range, in s since 1970, and how often Prometheus scrapes, as its data source has been told."""

    start_s: float
    end_s: float
    scrape_s: int

    @property
    def step_s(self) -> int:
        """How far apart the points of a curve are."""
        return max(self.scrape_s, round((self.end_s - self.start_s) / _POINTS))

    @property
    def built_in(self) -> dict[str, str]:
        """The variables that each query has."""
        range_s = round(self.end_s - self.start_s)
        return {
            "__interval": f"{self.step_s}s",
            "__interval_ms": str(self.step_s * 1000),
            "__rate_interval": f"{max(self.step_s + self.scrape_s, 4 * self.scrape_s)}s",
            "__range": f"{range_s}s",
            "__range_s": str(range_s),
            "__range_ms": str(range_s * 1000),
            "__from": str(round(self.start_s * 1000)),
            "__to": str(round(self.end_s * 1000)),
        }


def chosen_texts(
    variable: Variable, chosen: str | Sequence[str], options: Sequence[str], *, special_chars: bool = False
) -> dict[str, str]:
    """Return the texts of what is chosen: one value, several, or ALL of the options; by name, and by name and format.

    ``special_chars``: as with Grafana's feature toggle prometheusSpecialCharsInLabelValues, which is off by default.
    """
    name = variable["name"]
    if chosen == ALL:
        if variable.get("allValue"):
            return dict.fromkeys((name, f"{name}:raw"), str(variable["allValue"]))
        chosen = options
    values = [chosen] if isinstance(chosen, str) else chosen
    if not (variable.get("multi") or variable.get("includeAll")):
        text = _escaped_for_string(values[0], special_chars=special_chars)
    else:
        texts = [_escaped_for_regex(value, special_chars=special_chars) for value in values]
        text = texts[0] if len(texts) == 1 else f"({'|'.join(texts)})"
    return {name: text, f"{name}:raw": ",".join(values)}


def interpolated(query: str, texts: Mapping[str, str]) -> str:
    """Return a query with the texts of its variables in it. Raises KeyError for one, or a format, that isn't there."""

    def text(found: re.Match[str]) -> str:
        name = found[1] or found[2] or found[4]
        return texts[f"{name}:{found[3]}" if found[3] else name]

    return _NAMED.sub(text, query)


def _escaped_for_string(value: str, *, special_chars: bool) -> str:
    value = value.replace("\\", "\\\\")
    return value.replace('"', '\\"') if special_chars else value.replace("'", "\\\\'")


def _escaped_for_regex(value: str, *, special_chars: bool) -> str:
    value = value.replace("\\", "\\\\\\\\")
    if special_chars:
        value = value.replace('"', '\\\\\\"').replace("'", "\\\\'")
    return _OF_REGEXES.sub(lambda found: f"\\\\{found[0]}", value)
