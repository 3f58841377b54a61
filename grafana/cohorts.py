"""Cohorts: how long content goes on earning links, against what is said of it."""

from typing import Final

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

from grafana.annotations import alerts
from grafana.board import Row, board
from grafana.colours import GREY, fixed
from grafana.glance import workers_up
from grafana.links import COHORTS
from grafana.panels import bars, figure
from grafana.queries import at_end, series
from grafana.tables import Column, Label, facts

# "66 % of an article's links come in its first 90 days", as it is quoted.
_QUOTED: Final = 0.66
_QUOTE: Final = "quoted"
_ALL: Final = 'kind="all"'
_AGES: Final = {
    "7d": "7 days",
    "28d": "28 days",
    "90d": "90 days",
    "180d": "180 days",
    "365d": "1 year",
    "730d": "2 years",
    "1460d": "4 years",
}


def made() -> Dashboard:
    """Return the dashboard."""
    return board(
        COHORTS,
        "Cohorts",
        "What share of its links an article has by which age, by strategy and by month of publication, against the "
        "quoted “66 % in the first 90 days”.",
        [
            Row(1, "How long content earns links", _whole()),
            Row(2, "Strategies", [_table(22, "strategy", "Strategy")]),
            Row(3, "Months of publication", [_table(31, "month", "Month")]),
        ],
        events=[alerts("Group.*", 'alertname!="GroupUnseen"')],
        since="now-90d",
        refresh="15m",
    )


def _share(age: str, *matchers: str, by: str) -> str:
    shown = series("flatline_cohort_links_ratio", f'age="{age}"', *matchers)
    return f"max by ({by}) ({shown})"


def _whole() -> list[Builder[Panel]]:
    by_day_90 = _share("90d", _ALL, by="kind")
    return [
        figure(
            12,
            "Links by day 90",
            "Share of its links, after the first day, that an article has by day 90. Well below the quoted 66 %: "
            "content here lives longer than is said.",
            at_end(by_day_90, "share"),
            unit="percentunit",
            width=6,
        ),
        figure(
            14,
            "Against the quoted 66 %",
            "How far the share of links by day 90 is from the quoted 66 %, in percentage points.",
            at_end(f"100 * ({by_day_90} - {_QUOTED})", "difference"),
            unit="suffix:pp",
            width=6,
        ).override_by_name("difference", fixed("text")),
        figure(
            11,
            "Articles learned from",
            "Number of articles that the overall curve is based on. A few dozen are not enough for a "
            "reliable curve; a few hundred are.",
            at_end(f"max({series('flatline_cohort_articles', _ALL)})", "articles"),
            width=6,
        ),
        workers_up(15, width=6),
        bars(
            13,
            "Share of links by age, all articles",
            "Share of its links, after the first day, that an article has by an age. Grey: the quoted 66 % by day 90. "
            "Ages that too few articles have passed are missing.",
            *(at_end(_share(age, _ALL, by="kind"), name) for age, name in list(_AGES.items())[:3]),
            at_end(f"{_QUOTED} * max({series('flatline_cohort_articles', _ALL)} > bool 0)", _QUOTE),
            *(at_end(_share(age, _ALL, by="kind"), name) for age, name in list(_AGES.items())[3:]),
            unit="percentunit",
            width=24,
            height=9,
        )
        .max(1)
        .override_by_name(_QUOTE, fixed(GREY)),
    ]


def _table(panel_id: int, kind: str, heading: str) -> Builder[Panel]:
    of_kind = f'kind="{kind}"'
    # The newest 24 months are shown: of those no day is two years ago.
    ages = list(_AGES.items())[:5] if kind == "month" else list(_AGES.items())
    return facts(
        panel_id,
        f"Share of links by age and {heading.lower()}",
        f"Share of its links that an article has by an age, by {heading.lower()}, and how many articles that is "
        "learned from. With few articles it is hardly reliable. Ages that too few of them have passed are missing.",
        Label("cohort", heading, at_least=140),
        Column("Articles", f"max by (cohort) ({series('flatline_cohort_articles', of_kind)})", width=90),
        *(
            Column(name, _share(age, of_kind, by="cohort"), "percentunit", width=95, is_shaded=True)
            for age, name in ages
        ),
        sort_by=heading if kind == "month" else "Articles",
        height=12 if kind == "month" else 8,
    )
