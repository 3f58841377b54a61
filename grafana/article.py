"""Article: what a verdict on one watched article rests on."""

from typing import Final

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Dashboard, DynamicConfigValue, Panel

from grafana.annotations import alerts
from grafana.board import Row, board
from grafana.colours import BAD, DOUBTFUL, GOOD, Limit, fixed, words
from grafana.links import ARTICLE, of_article
from grafana.panels import EMPTY_WHEN_WELL, coloured_by_state, dashed, figure, history, lines, names
from grafana.queries import at_end, on_range, per_article, series
from grafana.tables import described, facts
from grafana.variables import article

# As it is, in PromQL's raw quotes: between others Grafana escapes an apostrophe so that no article matches. What can't
# stand between these, a backtick, is escaped in an address, but for its query.
_THIS: Final = "article=`${article:raw}`"
_PROBABILITY: Final = per_article("flatline_watched_article_silence_probability_ratio", _THIS)
_STATE: Final = f"max by (state) ({series('flatline_watched_article_state', _THIS)})"
_WINDOWS: Final = {"7d": 7, "28d": 28, "90d": 90}
_DATE: Final = DynamicConfigValue("unit", "dateTimeAsIso")


def made() -> Dashboard:
    """Return the dashboard."""
    return board(
        ARTICLE,
        "Article",
        "One article of the watch list: its state and what it is based on. `flatline explain` shows more.",
        [
            Row(1, "$article", _now()),
            Row(2, "History", _course()),
            Row(3, "Links gained and expected", [_window(31 + i, w) for i, w in enumerate(_WINDOWS)]),
            Row(4, "Links, quality and visits", _links()),
        ],
        chosen=[article()],
        alerts=alerts("Article.*", 'alertname!="ArticleUnseen"', _THIS),
        since="now-7d",
        refresh="5m",
    )


def _of(name: str, *matchers: str) -> str:
    return per_article(f"flatline_watched_article_{name}", _THIS, *matchers)


def _now() -> list[Builder[Panel]]:
    headings = ("article", "title", "series", "author", "strategy", "site", "tier")
    info = f"max by ({', '.join(headings)}) ({series('flatline_watched_article_info', _THIS)})"
    return [
        facts(
            11,
            "Registration",
            "What is registered about this article. An empty tier means that it is not registered. "
            "Click to open the article.",
            described(info),
            labels={heading: heading.capitalize() for heading in headings},
            sort_by="Article",
            links={heading: of_article("__data.fields.Article")[1:] for heading in ("Article", "Title")},
            height=3,
        ),
        coloured_by_state(
            names(
                12,
                "State",
                "The article's current state. silent: the gap since its last link is so long that it "
                "has probably stopped gaining links. The README explains all states.",
                at_end(_STATE, "{{state}}"),
            )
        ),
        figure(
            13,
            "In this state since",
            "When the article entered this state, by the worker's clock.",
            at_end(f"1000 * {_of('state_since_timestamp_seconds')}", "since"),
            unit="dateTimeAsIso",
            width=5,
        ),
        figure(
            14,
            "Probability of silence",
            "Probability that no link comes in the next 180 days. Orange from 30 % (cooling), red "
            "from 60 % (silent); your policy may use other thresholds. No data: too little history.",
            at_end(_PROBABILITY, "probability"),
            unit="percentunit",
            limits=[Limit(0.3, DOUBTFUL), Limit(0.6, BAD)],
            width=5,
        ).decimals(0),
        figure(
            15,
            "Sources",
            "Whether the sources that usually find this article's links are reporting. If not, or if "
            "the verdict is held back because of that, look at the sources, not at the article.",
            at_end(_of("unseen"), "seen"),
            width=5,
        ).mappings([words({0: ("reporting", GOOD), 1: ("not reporting", DOUBTFUL)})]),
        names(
            16,
            "Findings",
            "Findings beside the state. mass_loss: many links were lost at once. quality_gone: links "
            f"still come, but no high-quality ones. {EMPTY_WHEN_WELL}",
            at_end(f"max by (finding) ({series('flatline_watched_article_finding', _THIS)})", "{{finding}}"),
            width=5,
        ).override_by_regexp(".+", fixed(BAD)),
    ]


def _course() -> list[Builder[Panel]]:
    return [
        lines(
            21,
            "Probability of silence over time",
            "The probability rises while no link comes and falls with each link. Dashed: the default "
            "thresholds, 30 % (cooling) and 60 % (silent).",
            on_range(_PROBABILITY, "probability"),
            unit="percentunit",
            limits=[Limit(0.3, DOUBTFUL), Limit(0.6, BAD)],
            width=9,
        ).max(1),
        coloured_by_state(
            history(
                22,
                "States over time",
                "When the article was in which state. Frequent changes between two states mean that "
                "it is close to a threshold: wait.",
                on_range(_STATE, "{{state}}"),
                width=9,
            )
        ),
        figure(
            23,
            "Current and usual gap",
            "Time since the last link, and the mean gap before that. A silence of up to twice the "
            "usual gap is a pause.",
            at_end(_of("silence_seconds"), "since the last link"),
            at_end(_of("mean_gap_seconds"), "usual gap"),
            at_end(f"1000 * {_of('last_gained_timestamp_seconds')}", "last link"),
            unit="dtdurations",
            width=6,
        )
        .decimals(1)
        .override_by_name("last link", [_DATE])
        .height(8),
    ]


def _window(panel_id: int, window: str) -> Builder[Panel]:
    only = f'window="{window}"'
    panel = lines(
        panel_id,
        f"Links in {_WINDOWS[window]} days",
        f"Links gained in the last {_WINDOWS[window]} days, and the links expected from the article's own past and the "
        "curve of its kind. Dormant articles and articles without links have no expectation.",
        on_range(_of("gained_links", only), "gained"),
        on_range(_of("expected_links", only), "expected"),
        width=8,
    )
    return dashed(panel, "expected", "#808080")


def _links() -> list[Builder[Panel]]:
    return [
        lines(
            41,
            "Links and domains",
            "Distinct links ever gained, links that are live, and their registrable domains. If live "
            "is far below gained, links were lost.",
            on_range(_of("links", 'status="gained"'), "gained"),
            on_range(_of("links", 'status="live"'), "live"),
            on_range(_of("referring_domains"), "domains"),
            width=9,
        ),
        lines(
            42,
            "Link quality",
            "Sum of the quality (0 to 1) of each domain's best link, and the number of high-quality "
            "links gained in the last 90 days. If the sum stays level and the number is zero, only "
            "low-quality links are coming in.",
            on_range(_of("weighted_links"), "sum of quality"),
            on_range(_of("worthy_links"), "high-quality links, 90 days"),
            width=9,
        ),
        figure(
            43,
            "Visits over links, 28 days",
            "Visits that came over links in the last 28 days. No data if visits are not counted.",
            at_end(_of("visits"), "visits"),
            width=6,
        ).height(8),
    ]
