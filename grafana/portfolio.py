"""Portfolio: how all content does, for a glance in the morning."""

from typing import Final

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

from grafana import attention
from grafana.annotations import alerts, notices
from grafana.attention import THERE_IN_MOTION, TO_PAGE, state_of
from grafana.board import Row, board
from grafana.colours import BAD, DOUBTFUL, GOOD, OF_STATE, Limit, state_words
from grafana.glance import articles_unseen, stale_sources, workers_up
from grafana.links import PORTFOLIO, to_article_dashboard, to_dashboard
from grafana.panels import EMPTY_WHEN_WELL, coloured, dashed, figure, lines, stacked
from grafana.queries import WORKERS, at_end, on_range, or_zero, per_article, per_group, series
from grafana.tables import Column, Label, facts
from grafana.variables import kind

_BY_STATE: Final = f"sum by (state) ({series('flatline_articles')})"
_VISITS: Final = per_article("flatline_watched_article_visits")
_MONTH: Final = 'window="28d"'
_LINKS_OVER_MONTH: Final = 22


def made() -> Dashboard:
    """Return the dashboard."""
    watched = "Article.*|Group.*"
    return board(
        PORTFOLIO,
        "Portfolio",
        "All content at a glance: which articles grow, cool, fall silent or revive, and links gained and expected.",
        [
            Row(1, "How the portfolio does now", _now()),
            Row(3, "What needs a look", [attention.articles(31), attention.groups(41)]),
            Row(2, "Links against what should have come", _links()),
            Row(5, "Quality and impact", _worth(), is_folded=True),
            Row(6, "What else changed", _changes(), is_folded=True),
            Row(7, "Size of the watch list", _watch_list(), is_folded=True),
        ],
        chosen=[kind()],
        events=[alerts(watched, 'alertname!~".*Unseen"'), notices(f"{watched}|Watch.*")],
        since="now-90d",
        refresh="5m",
    )


def _now() -> list[Builder[Panel]]:
    under_curve = f"count({per_group('flatline_group_state', attention.UNDER_CURVE)})"
    gained, expected = (f"sum({series(f'flatline_{name}_links', _MONTH)})" for name in ("gained", "expected"))
    return [
        figure(
            14,
            "Silent",
            "Articles that are silent now. Click for the list.",
            at_end(f"sum({series('flatline_articles', attention.SILENT)})", "articles"),
            width=3,
            is_named=True,
            limits=[Limit(1, BAD)],
            links=[to_dashboard(PORTFOLIO, "Show the articles", panel_id=31)],
        ),
        figure(
            15,
            "Cooling",
            "Articles that are cooling now. They may come back by themselves. Click for the list.",
            at_end(f"sum({series('flatline_articles', attention.COOLING)})", "articles"),
            width=3,
            is_named=True,
            limits=[Limit(1, DOUBTFUL)],
            links=[to_dashboard(PORTFOLIO, "Show the articles", panel_id=31)],
        ),
        figure(
            16,
            "Groups under curve",
            "Series, authors, strategies and sites that gain too few links for it to be chance. Click for the list.",
            at_end(or_zero(under_curve, WORKERS), "groups"),
            limits=[Limit(1, BAD)],
            links=[to_dashboard(PORTFOLIO, "Show the groups", panel_id=41)],
        ),
        articles_unseen(17),
        stale_sources(18),
        figure(
            23,
            "Links gained",
            "Links gained in 28 days by the articles that can be seen, as a share of the links that were expected. "
            "Green from 75 %, orange below, red below 50 %: chance hardly explains that for a whole portfolio. n/a "
            "while no article can be seen. Click for the course.",
            at_end(f"{gained} / ({expected} > 0)", "of expected"),
            unit="percentunit",
            width=3,
            is_named=True,
            limits=[Limit(0, BAD), Limit(0.5, DOUBTFUL), Limit(0.75, GOOD)],
            links=[to_dashboard(PORTFOLIO, "Show the course", panel_id=_LINKS_OVER_MONTH)],
        ),
        workers_up(19, width=3),
        attention.firing(20),
        coloured(
            lines(
                12,
                "Cooling and silent articles over time",
                "A step that many articles take at once is rarely caused by the content: look at the sources first.",
                on_range(f"sum by (state) ({series('flatline_articles', attention.TROUBLED)})", "{{state}}"),
                width=14,
                height=7,
                soft_max=5,
                decimals=0,
            ),
            OF_STATE,
        ),
    ]


def _links() -> list[Builder[Panel]]:
    def a_day(panel_id: int, days: int) -> Builder[Panel]:
        window = f'window="{days}d"'
        panel = lines(
            panel_id,
            f"Links a day, mean of {days} days",
            f"Links gained a day over the last {days} days by the articles that can be seen, against the links that "
            "these articles were expected to gain. Each article is measured against its own past and the curve of its "
            "kind. If all sites are far below, the content is rarely the cause: look at the sources.",
            on_range(f"sum({series('flatline_gained_links', window)}) / {days}", "gained"),
            on_range(f"sum({series('flatline_expected_links', window)}) / {days}", "expected"),
            width=8,
            height=7,
            soft_max=1,
        )
        return dashed(panel, "expected")

    troubled = f"sum by (series) ({series('flatline_series_articles', attention.TROUBLED)})"
    share = facts(
        13,
        "Series with articles in trouble",
        "Share of each series' articles that are cooling or silent now. Orange from 25 %, red from 50 %. "
        f"{EMPTY_WHEN_WELL}",
        Label("series", "Series", at_least=150),
        Column(
            "Share",
            f"({troubled} > 0) / sum by (series) ({series('flatline_series_articles')})",
            "percentunit",
            width=75,
            limits=[Limit(0.25, DOUBTFUL), Limit(0.5, BAD)],
        ),
        Column("In trouble", f"{troubled} > 0", width=95),
        sort_by="Share",
        width=8,
        height=7,
    )
    return [a_day(21, 7), a_day(_LINKS_OVER_MONTH, 28), share]


def _worth() -> list[Builder[Panel]]:
    worthy = per_article("flatline_watched_article_worthy_links")
    gained = per_article("flatline_watched_article_gained_links", 'window="90d"')
    quality = f"sum({worthy}) / (sum({gained} and on (article) {worthy}) > 0)"
    return [
        lines(
            52,
            "Quality of links over time",
            "Links that matter: the share of the links gained in 90 days that are good enough to matter. If it falls "
            "while the number of links holds, thin links take the place of good ones. Mean quality: of each referring "
            "domain's best link. A step is a campaign of thin links, or their removal.",
            on_range(f"clamp_max({quality}, 1)", "links that matter"),
            on_range(
                f"sum({per_article('flatline_watched_article_weighted_links')})"
                f" / sum({per_article('flatline_watched_article_referring_domains')})",
                "mean quality of best links",
            ),
            unit="percentunit",
            height=9,
            soft_max=1,
        ),
        facts(
            53,
            "Articles with most visits over links",
            "Watched articles that most people reached over links in the last 28 days. Empty where visits were never "
            "counted.",
            Label("title", "Title", at_least=240, link=to_article_dashboard("__data.fields.Article")),
            Column("Visits", f"topk(10, {_VISITS})", width=90),
            Label("article", "Article", width=180, link=TO_PAGE),
            described=[f"max by (article, title) ({attention.info_of(f'topk(10, {_VISITS})')})"],
            sort_by="Visits",
            width=12,
            height=9,
        ),
    ]


def _changes() -> list[Builder[Panel]]:
    return [
        coloured(
            stacked(
                lines(
                    11,
                    "Articles by state over time",
                    "All articles by the state that they are in.",
                    on_range(_BY_STATE, "{{state}}"),
                    soft_max=5,
                    decimals=0,
                    height=9,
                )
            ),
            OF_STATE,
        ),
        facts(
            61,
            "Articles that grow, burst or revived",
            "Watched articles that gain more links than before, the newest change first. Empty while none does.",
            Label("title", "Title", link=to_article_dashboard("__data.fields.Article")),
            Label("state", "State", width=90, colours=state_words()),
            Column("Since", attention.since(THERE_IN_MOTION), "time:YYYY-MM-DD", width=110),
            Label("article", "Article", width=130, link=TO_PAGE),
            described=[state_of(THERE_IN_MOTION), f"max by (article, title) ({attention.info_of(THERE_IN_MOTION)})"],
            sort_by="Since",
            width=12,
            height=9,
        ),
    ]


def _watch_list() -> list[Builder[Panel]]:
    registered, others = (
        f"sum({series('flatline_watch_list_left_out', of)})" for of in ('registered="true"', 'registered="false"')
    )
    return [
        figure(
            71,
            "Registered articles left out",
            "Registered articles that do not fit on the watch list: they have no series and cause no "
            "alerts. Orange from 1: raise FLATLINE_WATCH_LIST_SIZE or start another worker.",
            at_end(registered, "articles"),
            limits=[Limit(1, DOUBTFUL)],
            width=6,
        ),
        figure(
            72,
            "Other articles left out",
            "Unregistered articles in trouble that do not fit on the watch list. "
            "`flatline articles list` shows all articles.",
            at_end(others, "articles"),
            width=6,
        ),
        figure(
            73,
            "Watched articles",
            "Articles that have series and alerts of their own, and the capacity of the watch list.",
            at_end(f"count({per_article('flatline_watched_article_info')})", "watched"),
            at_end(f"sum({series('flatline_watch_list_capacity')})", "capacity"),
            width=6,
        ),
        figure(
            74,
            "Groups left out",
            "Smaller groups that have no series in Prometheus. `flatline groups list` shows all groups. Orange from 1.",
            at_end(f"sum({series('flatline_groups_left_out')})", "groups"),
            limits=[Limit(1, DOUBTFUL)],
            width=6,
        ),
    ]
