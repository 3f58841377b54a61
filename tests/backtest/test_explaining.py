"""An explanation from files: which other articles it takes into account."""

import json
from typing import NamedTuple

import pytest

from flatline.backtest.explaining import explain_history
from flatline.backtest.histories import Histories
from flatline.domain.policy.policy import Policy
from flatline.domain.time import DAY_MS, to_datetime

DAY = 19_000
SITES = ("one", "two", "three")


class Line(NamedTuple):
    """A line of a file."""

    number: int
    value: bytes


def _lines(records: list[dict[str, object]]) -> list[Line]:
    return [Line(number, json.dumps(record).encode()) for number, record in enumerate(records, 1)]


@pytest.mark.parametrize("field", ["series", "author", "strategy"])
def test_articles_of_other_sites_count_for_what_they_share(field: str) -> None:
    """A group that is registered has its articles on all sites; the site of the article has its own alone."""
    histories = Histories()
    events = [
        {
            "url_from": f"https://page-{day}.example/{site}",
            "url_to": f"https://{site}.example/a",
            "occurred_at": to_datetime((DAY + day) * DAY_MS).isoformat(),
        }
        for site in (*SITES, "stranger")
        for day in range(0, 400, 5)
    ]
    histories.read_links("links", _lines(events), recorded_ms=(DAY + 900) * DAY_MS)
    records = [{"url": f"https://{site}.example/a", field: "Field notes"} for site in SITES]
    histories.read_articles("articles", _lines(records), recorded_ms=(DAY + 900) * DAY_MS)
    found = explain_history(histories, b"https://one.example/a", Policy(), on_day=DAY + 400, links=1)
    assert found is not None
    articles = {each.kind: each.verdict.articles if each.verdict else 0 for each in found.groups}
    assert articles[field] == len(SITES)  # type: ignore[index]
    assert articles["site"] == 0  # type: ignore[index]
