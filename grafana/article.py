"""Article: what a verdict on one watched article is based on."""

from typing import Final

from grafana_foundation_sdk.builders import common
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

from flatline.schema.verdict import FindingKind, State
from grafana.annotations import alerts, notices
from grafana.attention import DATE, DAY_S, TO_PAGE
from grafana.board import Row, board
from grafana.colours import BAD, DOUBTFUL, GOOD, GREY, OF_STATE, words
from grafana.links import ARTICLE, SOURCES, to_dashboard
from grafana.panels import dashed, figure, history, lines
from grafana.queries import at_end, on_range, per_article, series
from grafana.tables import Label, facts
from grafana.variables import article, article_title

# As it is, in PromQL's raw quotes: between others Grafana escapes an apostrophe so that no article matches. What can't
# stand between these, a backtick, is escaped in an address, but for its query.
_THIS: Final = "article=`${article:raw}`"
_PROBABILITY: Final = per_article("flatline_watched_article_silence_probability_ratio", _THIS)
# Each state is a number, so that one series says which holds.
_NUMBERS: Final = {state: number for number, state in enumerate(State, start=1)}
_STATE: Final = " or ".join(
    f"""{number} * max({series("flatline_watched_article_state", _THIS, f'state="{state}"')})"""
    for state, number in _NUMBERS.items()
)
_STATES: Final = words({number: (state, OF_STATE[state]) for state, number in _NUMBERS.items()})
_FINDINGS: Final = {FindingKind.MASS_LOSS: "many links lost at once", FindingKind.QUALITY_GONE: "no good links come"}

# Grafana makes words larger than the figure has room for.
_WORD: Final = common.VizTextDisplayOptions().value_size(26)


def made() -> Dashboard:
    """Return the dashboard."""
    return board(
        ARTICLE,
        "Article",
        "One article of the watch list: its state, and what that is based on. `flatline explain` shows more, and "
        "knows what happened before Prometheus began to keep these figures.",
        [
            Row(1, "$title ($article)", _now()),
            Row(2, "How the article got there", _course()),
            Row(3, "Links gained against links expected", [_window(31, 7), _window(33, 90), _findings()]),
            Row(4, "Links, quality and visits", _links()),
        ],
        chosen=[article(), article_title()],
        events=[alerts("Article.*", 'alertname!="ArticleUnseen"', _THIS), notices("Article.*", _THIS)],
        since="now-90d",
        refresh="5m",
    )


def _of(name: str, *matchers: str) -> str:
    return per_article(f"flatline_watched_article_{name}", _THIS, *matchers)


def _now() -> list[Builder[Panel]]:
    return [
        figure(
            12,
            "State",
            "The article's current state. silent: the gap since its last link is so long that it "
            "has probably stopped gaining links. The README explains all states.",
            at_end(_STATE, "state"),
        )
        .mappings([_STATES])
        .text(_WORD),
        figure(
            13,
            "State since",
            "When the article entered this state, by the worker's clock.",
            at_end(f"1000 * {_of('state_since_timestamp_seconds')}", "since"),
            unit=DATE,
        ).text(_WORD),
        figure(
            14,
            "Silence probability",
            "Probability that no link comes in the next 180 days, given that none has come since the last. n/a: too "
            "little history.",
            at_end(_PROBABILITY, "probability"),
            unit="percentunit",
        ),
        figure(
            23,
            "Without a link",
            "Time since the article last gained a link.",
            at_end(f"{_of('silence_seconds')} / {DAY_S}", "without a link"),
            unit="suffix:days",
        ),
        figure(
            24,
            "Against usual gap",
            "The time without a link, as a multiple of the typical gap between links that the article used to have.",
            at_end(f"{_of('silence_seconds')} / ({_of('usual_gap_seconds')} > 0)", "usual gaps"),
            unit="suffix:x",
            decimals=1,
        ),
        figure(
            15,
            "Visibility",
            "unseen: none of the article's usual sources can see, or nothing worse is said because of that. Then look "
            "at the sources, not at the article. Click for the sources.",
            at_end(_of("unseen"), "visibility"),
            links=[to_dashboard(SOURCES, "Show the sources")],
        )
        .mappings([words({0: ("seen", GOOD), 1: ("unseen", DOUBTFUL)})])
        .text(_WORD),
        _window(32, 28, width=12),
        lines(
            21,
            "Silence probability over time",
            "While no link comes, the probability that none comes in the next 180 days rises; a link makes it fall.",
            on_range(_PROBABILITY, "probability"),
            unit="percentunit",
        ).max(1),
    ]


def _course() -> list[Builder[Panel]]:
    headings = {"series": 150, "author": 150, "strategy": 130, "site": 150, "tier": 60}
    info = f"max by (article, title, {', '.join(headings)}) ({series('flatline_watched_article_info', _THIS)})"
    return [
        history(
            22,
            "Article's states over time",
            "When the article was in which state. Frequent changes between two states mean that "
            "it is close to a threshold: wait.",
            on_range(_STATE, "state"),
        ).mappings([_STATES]),
        facts(
            11,
            "What is registered about the article",
            "An empty tier means that nobody registered the article. Its address leads to the article.",
            Label("title", "Title", at_least=160),
            *(Label(name, name.capitalize(), width) for name, width in headings.items()),
            Label("article", "Article", at_least=180, link=TO_PAGE),
            described=[info],
            sort_by="Article",
            height=4,
        ),
    ]


def _window(panel_id: int, days: int, *, width: int = 8) -> Builder[Panel]:
    only = f'window="{days}d"'
    panel = lines(
        panel_id,
        f"Links gained in {days} days",
        f"Links gained in the last {days} days against the links expected, by the article's own past and the curve of "
        "its kind. Nothing is expected of dormant articles and of those without links.",
        on_range(_of("gained_links", only), "gained"),
        on_range(_of("expected_links", only), "expected"),
        decimals=1,
        width=width,
        soft_max=1,
    )
    return dashed(panel, "expected")


def _findings() -> Builder[Panel]:
    def holds(kind: FindingKind) -> str:
        there = f"""max({series("flatline_watched_article_finding", _THIS, f'finding="{kind}"')})"""
        return f"{there} or 0 * {_of('state_since_timestamp_seconds')}"

    return (
        figure(
            16,
            "Findings on the article",
            "What there is to say about the article beside its state.",
            *(at_end(holds(kind), text) for kind, text in _FINDINGS.items()),
            width=8,
        )
        .mappings([words({0: ("no", GREY), 1: ("yes", BAD)})])
        .height(5)
    )


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
            width=8,
            decimals=0,
            soft_max=1,
        ),
        lines(
            42,
            "Quality of domains",
            "Mean quality (0 to 1) of the best link of each referring domain. If it falls, thin links come.",
            on_range(f"{_of('weighted_links')} / ({_of('referring_domains')} > 0)", "mean quality"),
            unit="percentunit",
            width=6,
        ).max(1),
        lines(
            44,
            "Links that matter in 90 days",
            "Of the links of the last 90 days, those that are good enough to matter. At zero, only thin links come.",
            on_range(_of("worthy_links"), "links that matter"),
            decimals=0,
            width=6,
            soft_max=1,
        ),
        figure(
            43,
            "Visits in 28 days",
            "Visits that came over links in the last 28 days. A figure only where visits are counted.",
            at_end(_of("visits"), "visits"),
        )
        .no_value("never counted")
        .text(_WORD),
    ]
