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
        "All content at a glance: which articles grow, cool, fall silent or revive, and links gained and expected.",
        [
            Row(1, "States", _states()),
            Row(2, "Links gained and expected", _links()),
            Row(3, "Newest silent articles", [_in_state(31, "Newest silent articles", 'state="silent"', _SILENCES)]),
            Row(4, "Groups below expectation", [_groups()]),
            Row(5, "Quality and impact", _worth()),
            Row(6, "Other changes", _changes(), is_folded=True),
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
        "Number of articles in each state now. Compare silent and cooling with last week's values in "
        "the panel below: growth matters more than size.",
        at_end(_BY_STATE, "{{state}}"),
        width=24,
    )
    course = lines(
        12,
        "States over time",
        "Number of articles in each state over time. If many articles change state at once, the cause "
        "is rarely the content: look at the sources first.",
        on_range(_BY_STATE, "{{state}}"),
    )
    troubled = f"sum by (series) ({series('flatline_series_articles', _TROUBLED)})"
    share = bars(
        13,
        "Series with cooling or silent articles",
        "Share of each series' articles that are cooling or silent now; the ten highest. Orange from "
        f"25 %, red from 50 %. {EMPTY_WHEN_WELL}",
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
            f"Links per day, mean of {days} days",
            f"Links gained per day over the last {days} days by articles whose sources report, and the links expected "
            "of them, from each article's own past and the curve of its kind. If all sites are well below the "
            "expectation at once, the cause is rarely the content: look at the sources.",
            on_range(f"sum({series('flatline_gained_links', window)}) / {days}", "gained"),
            on_range(f"sum({series('flatline_expected_links', window)}) / {days}", "expected"),
            width=10,
        )
        return dashed(panel, "expected", "#808080")

    window = 'window="28d"'
    kept = figure(
        23,
        "Links gained vs. expected, 28 days",
        "Links gained in 28 days as a share of the links expected. Green from 75 %, orange below, red "
        "below 50 %. For a whole portfolio, chance hardly explains less than 75 %. No data while no "
        "article's sources report.",
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
    "Silent articles of the watch list, newest first: since when, days without a link, the usual gap before that, and "
    "the probability that no link comes in the next 180 days (orange from 30 %, red from 60 %). Click an article to "
    f"open its dashboard or the article itself. {EMPTY_WHEN_WELL}"
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
        Column("Days without a link", f"({of('flatline_watched_article_silence_seconds')}) / {_DAY_S}", decimals=0),
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
        "Groups below expectation",
        "Series, authors, strategies and sites that gained far fewer links than expected. Gained, "
        "expected, days and probability are for the period in which so few links are least probable; "
        "the probability is that of so few links if nothing had changed. While a group is listed "
        f"here, its articles cause no alerts of their own. {EMPTY_WHEN_WELL}",
        Column("Since", f"1000 * ({of('flatline_group_state_since_timestamp_seconds')})", "dateTimeAsIso"),
        Column("Gained", gained, decimals=0),
        Column("Expected", expected, decimals=0),
        Column("Days", f"({of('flatline_group_stretch_seconds')}) / {_DAY_S}", decimals=0),
        Column("Probability", of("flatline_group_shortfall_probability_ratio"), "percentunit", decimals=3),
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
            "High-quality links",
            "Share of high-quality links among the links that watched articles gained in 90 days. If "
            "it falls while the number of links stays level, low-quality links are replacing good "
            "ones.",
            at_end(f"clamp_max({quality}, 1)", "share"),
            unit="percentunit",
        ).height(8),
        lines(
            52,
            "High-quality links over time",
            "The same share over time, next to the mean quality (0 to 1) of each referring domain's "
            "best link. Both change slowly; a step is a campaign of low-quality links, or their "
            "removal.",
            on_range(f"clamp_max({quality}, 1)", "high-quality links"),
            on_range(
                f"sum({per_article('flatline_watched_article_weighted_links')})"
                f" / sum({per_article('flatline_watched_article_referring_domains')})",
                "mean quality of best links",
            ),
            unit="percentunit",
            width=10,
        ),
        bars(
            53,
            "Visits over links",
            "The ten watched articles with the most visits over links in the last 28 days. No data if "
            "visits are not counted.",
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
            "Watched articles whose state changed recently, newest first. Cooling articles often "
            "recover by themselves: look at their curve before you act.",
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
            "Findings on watched articles beside their state. mass_loss: many links were lost at "
            f"once. quality_gone: links still come, but no high-quality ones. {EMPTY_WHEN_WELL}",
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
            "Registered articles without a place",
            "Registered articles that do not fit on the watch list: they have no series and cause no "
            "alerts. Orange from 1: raise FLATLINE_WATCH_LIST_SIZE or start another worker.",
            at_end(registered, "articles"),
            limits=[Limit(1, DOUBTFUL)],
            width=6,
        ),
        figure(
            72,
            "Other articles without a place",
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
            "Groups without series",
            "Smaller groups that have no series in Prometheus. `flatline groups list` shows all groups. Orange from 1.",
            at_end(f"sum({series('flatline_groups_left_out')})", "groups"),
            limits=[Limit(1, DOUBTFUL)],
            base=NEUTRAL,
            width=6,
        ),
    ]
