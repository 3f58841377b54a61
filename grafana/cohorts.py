"""Cohorts: how long content goes on earning links, against what is said of it."""

from typing import Final

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

from grafana.annotations import alerts
from grafana.board import Row, board
from grafana.links import COHORTS
from grafana.panels import bars, dashed, figure, lines
from grafana.queries import at_end, on_range, series
from grafana.tables import Column, facts

# "66 % of an article's links come in its first 90 days", as it is quoted.
_QUOTED: Final = 0.66
_QUOTE: Final = "quoted: 66 % by day 90"
_ALL: Final = 'kind="all"'


def made() -> Dashboard:
    """Return the dashboard."""
    return board(
        COHORTS,
        "Cohorts",
        "How fast articles gain their links, by strategy and month of publication, next to the often quoted “66 % in "
        "the first 90 days”.",
        [
            Row(1, "All articles", _whole()),
            Row(2, "By strategy", [*_by_strategy(), _table(22, "strategy", "Strategy")]),
            Row(3, "By month of publication", [_table(31, "month", "Month")]),
        ],
        alerts=alerts("Group.*", 'alertname!="GroupUnseen"'),
        since="now-7d",
        refresh="15m",
    )


def _share(age: str, *matchers: str, by: str) -> str:
    shown = series("flatline_cohort_links_ratio", f'age="{age}"', *matchers)
    return f"max by ({by}) ({shown})"


def _whole() -> list[Builder[Panel]]:
    by_age = f"sort(max by (age) ({series('flatline_cohort_links_ratio', _ALL)}))"
    return [
        figure(
            11,
            "Articles in the sample",
            "Number of articles that the overall curve is based on. A few dozen are not enough for a "
            "reliable curve; a few hundred are.",
            at_end(f"max({series('flatline_cohort_articles', _ALL)})", "articles"),
        ).height(8),
        figure(
            12,
            "Share gained by day 90",
            "Share of its links (after the first day) that an article has gained by day 90, and the "
            "difference to the quoted 66 %. Far below 66 %: this content earns links for longer than "
            "the quote says.",
            at_end(_share("90d", _ALL, by="kind"), "share"),
            at_end(f"{_share('90d', _ALL, by='kind')} - {_QUOTED}", "difference to 66 %"),
            unit="percentunit",
            width=8,
        ).height(8),
        bars(
            13,
            "Share of links by age",
            "Share of its links (after the first day) that an article has gained by a certain age, "
            "next to the quoted 66 % by day 90. Ages that too few articles have reached are missing.",
            at_end(by_age, "by {{age}}"),
            at_end(f"vector({_QUOTED})", _QUOTE),
            unit="percentunit",
            width=12,
        ).max(1),
    ]


def _by_strategy() -> list[Builder[Panel]]:
    panel = lines(
        21,
        "Share of links gained by day 90, by strategy",
        "For the largest strategies: share of links gained by day 90, next to the quoted 66 % "
        "(dashed). Content below the line keeps earning links for longer, so promoting it longer pays "
        "off.",
        on_range(_share("90d", 'kind="strategy"', by="cohort"), "{{cohort}}"),
        on_range(f"vector({_QUOTED})", _QUOTE),
        unit="percentunit",
        is_many=True,
    )
    return [dashed(panel.max(1), _QUOTE, "#808080")]


def _table(panel_id: int, kind: str, heading: str) -> Builder[Panel]:
    of_kind = f'kind="{kind}"'
    # The newest 24 months are shown: of those no day is two years ago.
    ages = ("7d", "28d", "90d", "180d", "365d", *(["730d", "1460d"] if kind != "month" else []))
    return facts(
        panel_id,
        f"Curves by {heading.lower()}",
        f"Share of its links that an article has gained by a certain age, by {heading.lower()}, and the number of "
        "articles that this is based on. The fewer articles, the less reliable. Ages that too few of them have reached "
        "are missing.",
        Column("Articles", f"max by (cohort) ({series('flatline_cohort_articles', of_kind)})", decimals=0),
        *(Column(f"{age[:-1]} days", _share(age, of_kind, by="cohort"), "percentunit", decimals=0) for age in ages),
        labels={"cohort": heading},
        sort_by=heading if kind == "month" else "Articles",
        width=24 if kind == "month" else 12,
        height=10 if kind == "month" else 8,
    )
