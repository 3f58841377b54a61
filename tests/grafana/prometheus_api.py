"""A real Prometheus, asked as Grafana's data source asks it."""

import json
import math
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from tests.grafana.interpolation import Span

Series = dict[str, Any]


class Refused(Exception):
    """Prometheus did not run a query; the message is its own."""


class PrometheusApi:
    """The HTTP API at host:port."""

    def __init__(self, address: str) -> None:
        self._url = f"http://{address}/api/v1/"

    def instant(self, query: str, at_s: float) -> list[Series]:
        """Return the series that a query has at an instant."""
        return self._series("query", query=query, time=at_s)

    def range(self, query: str, span: Span) -> list[Series]:
        """Return the series that a query has over a range, with step."""
        return self._series("query_range", query=query, start=span.start_s, end=span.end_s, step=span.step_s)

    def label_values(self, label: str, selector: str, span: Span) -> list[str]:
        """Return the values of a label, of those series in a range where a selector is given."""
        within = {"start": span.start_s, "end": span.end_s}
        found = self._ask(f"label/{label}/values", **within, **({"match[]": selector} if selector else {}))
        return sorted(found)

    def _series(self, path: str, **parameters: object) -> list[Series]:
        answer = self._ask(path, **parameters)
        if answer["resultType"] == "scalar":
            return [{"metric": {}, "value": answer["result"]}]
        found: list[Series] = answer["result"]
        return found

    def _ask(self, path: str, **parameters: object) -> Any:
        is_post = path.startswith("query")
        encoded = urlencode(parameters)
        request = Request(self._url + path, encoded.encode()) if is_post else f"{self._url}{path}?{encoded}"
        try:
            with urlopen(request, timeout=20) as answer:
                return json.load(answer)["data"]
        except HTTPError as error:
            raise Refused(json.load(error)["error"]) from None


def figures(series: list[Series]) -> list[float]:
    """Return all numbers of an answer that can be drawn."""
    samples = [sample for each in series for sample in each.get("values", [each.get("value")])]
    return [number for _, text in samples if math.isfinite(number := float(text))]
