"""Portfolio: how all content does, for a glance in the morning."""

from typing import Final

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Dashboard, DynamicConfigValue, Panel

from grafana.annotations import alerts
from grafana.board import Row, board
from grafana.colours import BAD, DOUBTFUL, GOOD, NEUTRAL, Limit
from grafana.links import PORTFOLIO, of_article
from grafana.panels import EMPTY_WHEN_WELL, bars, coloured_by_state, dashed, figure, lines, stacked
from grafana.queries import at_end, on_range, per_article, per_group, series
from grafana.tables import Column, described, facts
from grafana.variables import kind

_DAY_S: Final = 86_400
_BY_STATE: Final = f"sum by (state) ({series('flatline_articles')})"
_TROUBLED: Final = 'state=~"cooling|silent"'
_INFO: Final = f"max by (article, title, series) ({series('flatline_watched_article_info')})"
_ARTICLE: Final = {"article": "Article", "title": "Title", "series": "Series"}
_TO_ARTICLE: Final = {"Article": of_article("__data.fields.Article"), "Title": of_article("__data.fields.Article")}
_SURE: Final = (Limit(0.3, DOUBTFUL), Limit(0.6, BAD))
_VISITS: Final = per_article("flatline_watched_article_visits")


def made() -> Dashboard:
    """Return the dashboard."""
    return board(
        PORTFOLIO,
        "Portfolio",
        "How all content does: what grows, cools, fell silent and came back, and what should have come.",
        [
            Row(1, "States", _states()),
            Row(2, "Links against what should have come", _links()),
            Row(3, "Newest silences", [_in_state(31, "Newest silences", 'state="silent"', _SILENCES)]),
            Row(4, "Groups under their curve", [_groups()]),
            Row(5, "Quality and impact", _worth()),
            Row(6, "What else changed", _changes(), is_folded=True),
            Row(7, "Watch list", _watch_list(), is_folded=True),
        ],
        chosen=[kind()],
        alerts=alerts("Article.*|Group.*", 'alertname!~".*Unseen"'),
        since="now-7d",
        refresh="5m",
    )


def _states() -> list[Builder[Panel]]:
    now = figure(
        11,
        "Articles by state",
        "All articles, by the state they are in now. Compare silent and cooling with last week's in the panel below: "
        "their size says less than their growth.",
        at_end(_BY_STATE, "{{state}}"),
        width=24,
    )
    course = lines(
        12,
        "States over time",
        "The same over time. A step that many articles take at once is rarely the content: look at the sources first.",
        on_range(_BY_STATE, "{{state}}"),
    )
    troubled = f"sum by (series) ({series('flatline_series_articles', _TROUBLED)})"
    share = bars(
        13,
        "Series that cool or are silent",
        "Share of each series' articles that are cooling or silent now, the ten highest. Orange from a quarter on, "
        f"red from a half on. {EMPTY_WHEN_WELL}",
        at_end(
            f"topk(10, ({troubled} > 0) / sum by (series) ({series('flatline_series_articles')}))",
            "{{series}}",
        ),
        unit="percentunit",
        limits=[Limit(0.25, DOUBTFUL), Limit(0.5, BAD)],
    )
    return [coloured_by_state(now), coloured_by_state(stacked(course)), share.max(1)]


def _links() -> list[Builder[Panel]]:
    def a_day(panel_id: int, days: int) -> Builder[Panel]:
        window = f'window="{days}d"'
        panel = lines(
            panel_id,
            f"Links a day, mean of {days} days",
            f"Links gained a day over the last {days} days by the articles that can be seen, against what these "
            "should have gained, each by its own past and the curve of its kind. Well below on all sites at once is "
            "rarely the content: look at the sources.",
            on_range(f"sum({series('flatline_gained_links', window)}) / {days}", "gained"),
            on_range(f"sum({series('flatline_expected_links', window)}) / {days}", "expected"),
            width=10,
        )
        return dashed(panel, "expected", "#808080")

    window = 'window="28d"'
    kept = figure(
        23,
        "Of what was expected",
        "Links gained in 28 days over those expected. Green from 75 % on; orange below, and red below a half, which "
        "chance hardly explains for a whole portfolio. No data while no article can be seen.",
        at_end(
            f"sum({series('flatline_gained_links', window)}) / (sum({series('flatline_expected_links', window)}) > 0)",
            "28 days",
        ),
        unit="percentunit",
        limits=[Limit(0.5, DOUBTFUL), Limit(0.75, GOOD)],
        base=BAD,
    )
    return [a_day(21, 7), a_day(22, 28), kept.height(8)]


_SILENCES: Final = (
    "Articles of the watch list that are silent, the newest first: since when, days without a link, the gap they "
    "used to have, and the probability that no link comes in the next 180 days (orange from 30 %, red from 60 % on, "
    f"where they are called silent). Click an article for its dashboard or the article itself. {EMPTY_WHEN_WELL}"
)


def _in_state(panel_id: int, title: str, state: str, text: str) -> Builder[Panel]:
    there = per_article("flatline_watched_article_state", state)

    def of(metric: str) -> str:
        return f"{per_article(metric)} and on (article) {there}"

    return facts(
        panel_id,
        title,
        text,
        Column("Since", f"1000 * ({of('flatline_watched_article_state_since_timestamp_seconds')})", "dateTimeAsIso"),
        Column("Days without", f"({of('flatline_watched_article_silence_seconds')}) / {_DAY_S}", decimals=0),
        Column("Usual gap, days", f"({of('flatline_watched_article_mean_gap_seconds')}) / {_DAY_S}", decimals=1),
        Column(
            "Probability",
            of("flatline_watched_article_silence_probability_ratio"),
            "percentunit",
            decimals=0,
            limits=_SURE,
        ),
        described(f"{_INFO} and on (article) {there}"),
        labels=_ARTICLE,
        sort_by="Since",
        links=_TO_ARTICLE,
        height=9,
    )


def _groups() -> Builder[Panel]:
    under = per_group("flatline_group_state", 'state="under_curve"', 'kind=~"$kind"')

    def of(metric: str, *matchers: str) -> str:
        return f"{per_group(metric, *matchers)} and on (kind, group) {under}"

    gained, expected = (of(f"flatline_group_{name}_links", 'window="stretch"') for name in ("gained", "expected"))
    return facts(
        41,
        "Groups under their curve",
        "Series, authors, strategies and sites that gained so few links, in the stretch of days where that is least "
        "probable, that it is no chance: links gained, links that should have come, and the chance of so few if "
        f"nothing had changed. Their articles are not alerted one by one meanwhile. {EMPTY_WHEN_WELL}",
        Column("Since", f"1000 * ({of('flatline_group_state_since_timestamp_seconds')})", "dateTimeAsIso"),
        Column("Gained", gained, decimals=0),
        Column("Expected", expected, decimals=0),
        Column("In days", f"({of('flatline_group_stretch_seconds')}) / {_DAY_S}", decimals=0),
        Column("Chance", of("flatline_group_shortfall_probability_ratio"), "percentunit", decimals=3),
        Column("Articles", of("flatline_group_articles"), decimals=0),
        labels={"kind": "Kind", "group": "Group"},
        sort_by="Since",
    )


def _worth() -> list[Builder[Panel]]:
    worthy = per_article("flatline_watched_article_worthy_links")
    gained = per_article("flatline_watched_article_gained_links", 'window="90d"')
    quality = f"sum({worthy}) / (sum({gained} and on (article) {worthy}) > 0)"
    return [
        figure(
            51,
            "Links that matter",
            "Share of the links that watched articles gained in 90 days that are of a quality that matters. Falling "
            "while the number of links holds: thin links take the place of good ones.",
            at_end(f"clamp_max({quality}, 1)", "share"),
            unit="percentunit",
        ).height(8),
        lines(
            52,
            "Links that matter over time",
            "The same over time, beside the mean quality (0 to 1) of referring domains' best links. Both fall slowly "
            "or not at all; a step is a campaign of thin links, or their removal.",
            on_range(f"clamp_max({quality}, 1)", "links that matter"),
            on_range(
                f"sum({per_article('flatline_watched_article_weighted_links')})"
                f" / sum({per_article('flatline_watched_article_referring_domains')})",
                "mean quality of domains",
            ),
            unit="percentunit",
            width=10,
        ),
        bars(
            53,
            "Visits over links",
            "Watched articles that most people came to over links in the last 28 days. No data where visits were "
            "never counted.",
            at_end(f"topk(10, {_VISITS})", "{{article}}"),
            width=10,
        ).override_by_regexp(".*", [DynamicConfigValue("links", of_article("__field.labels.article"))]),
    ]


def _changes() -> list[Builder[Panel]]:
    there = per_article("flatline_watched_article_state", 'state=~"revived|bursting|growing|cooling"')
    state = series("flatline_watched_article_state", 'state=~"revived|bursting|growing|cooling"')
    since = per_article("flatline_watched_article_state_since_timestamp_seconds")
    return [
        facts(
            61,
            "Cooling, growing, bursting, revived",
            "Watched articles that are in motion, the newest change first. Cooling ones may come back by themselves; "
            "see their curve before doing anything.",
            Column("Since", f"1000 * ({since} and on (article) {there})", "dateTimeAsIso"),
            described(f"max by (article, state) ({state})"),
            described(f"{_INFO} and on (article) {there}"),
            labels={"state": "State", **_ARTICLE},
            sort_by="Since",
            links=_TO_ARTICLE,
            height=9,
        ),
        facts(
            62,
            "Findings",
            "What there is to say of watched articles beside their state. mass_loss: many links lost at once; "
            f"quality_gone: links still come, good ones no more. {EMPTY_WHEN_WELL}",
            described(f"max by (article, finding) ({series('flatline_watched_article_finding')})"),
            labels={"article": "Article", "finding": "Finding"},
            sort_by="Article",
            descending=False,
            links={"Article": of_article("__data.fields.Article")},
        ),
    ]


def _watch_list() -> list[Builder[Panel]]:
    registered, others = (
        f"sum({series('flatline_watch_list_left_out', of)})" for of in ('registered="true"', 'registered="false"')
    )
    return [
        figure(
            71,
            "Registered, left out",
            "Registered articles that the watch list has no room for: no series, no alert. From 1 on make room "
            "(FLATLINE_WATCH_LIST_SIZE) or start another worker.",
            at_end(registered, "articles"),
            limits=[Limit(1, DOUBTFUL)],
            width=6,
        ),
        figure(
            72,
            "Others, left out",
            "Articles in trouble that nobody registered and the watch list has no room for. `flatline articles list` "
            "lists all.",
            at_end(others, "articles"),
            width=6,
        ),
        figure(
            73,
            "Watched",
            "Articles that have series of their own, and an alert; at most as many as there is room for (right).",
            at_end(f"count({per_article('flatline_watched_article_info')})", "watched"),
            at_end(f"sum({series('flatline_watch_list_capacity')})", "room for"),
            width=6,
        ),
        figure(
            74,
            "Groups left out",
            "Groups that have no series here, the smaller ones. `flatline groups list` lists all. Orange from 1 on.",
            at_end(f"sum({series('flatline_groups_left_out')})", "groups"),
            limits=[Limit(1, DOUBTFUL)],
            base=NEUTRAL,
            width=6,
        ),
    ]
