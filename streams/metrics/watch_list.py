from collections.abc import Iterator

from prometheus_client import Metric

from flatline.domain.judgement.watch_list import Watched
from flatline.domain.sites import Sites
from flatline.domain.time import DAY_MS
from flatline.domain.urls.canonical import referring_domain, slug
from flatline.metrics.families import Row, gauge, single
from flatline.metrics.responsible import RESPONSIBLE, responsible
from flatline.metrics.snapshot import Snapshot
from flatline.schema.verdict import Expectation, Expected, Verdict

_DAY_S = DAY_MS / 1000
_Named = tuple[str, Watched]


def watch_list_families(snapshot: Snapshot) -> Iterator[Metric]:
    """Yield what is said of the articles that have series of their own."""
    watched = [(slug(each.verdict.article), each) for each in snapshot.watched]
    yield gauge(
        "flatline_watched_article_info",
        "What is registered about a watched article and its site; always 1. Join it for titles. An empty tier means "
        "that the article is not registered.",
        ["article", "title", "series", "author", "strategy", "site", "tier", *RESPONSIBLE],
        ((_registered(name, each.verdict, snapshot.sites), 1) for name, each in watched),
    )
    yield gauge(
        "flatline_watched_article_state",
        "1 for the current state of a watched article; other states have no series.",
        ["article", "state"],
        (([name, each.verdict.state], 1) for name, each in watched),
    )
    yield gauge(
        "flatline_watched_article_state_since_timestamp_seconds",
        "When the article entered its current state, by the worker's clock.",
        ["article"],
        (([name], each.verdict.since.timestamp()) for name, each in watched),
    )
    yield gauge(
        "flatline_watched_article_finding",
        "1 for each current finding on a watched article beside its state; other findings have no series. lost_reason: "
        "of a mass loss, the reason that was reported for most of the links; empty if none is known.",
        ["article", "finding", "lost_reason"],
        (
            ([name, finding.kind, next(iter(finding.lost_reasons), "")], 1)
            for name, each in watched
            for finding in each.verdict.findings
        ),
    )
    yield gauge(
        "flatline_watched_article_finding_since_timestamp_seconds",
        "When the finding began, by the worker's clock.",
        ["article", "finding"],
        (
            ([name, finding.kind], finding.since.timestamp())
            for name, each in watched
            for finding in each.verdict.findings
        ),
    )
    yield gauge(
        "flatline_watched_article_unseen",
        "1 while none of a watched article's usual sources reports, or its verdict is held back because they did "
        "not. Alerts on the source fire instead of alerts on the article.",
        ["article"],
        (([name], each.is_unseen) for name, each in watched),
    )
    yield from _rhythm(watched)
    yield from _links(watched)
    yield from _size(snapshot)


def _registered(name: str, verdict: Verdict, sites: Sites) -> list[str]:
    about = (verdict.title, verdict.series, verdict.author, verdict.strategy)
    site = referring_domain(verdict.article)
    return [
        name,
        *(each or "" for each in about),
        site,
        str(verdict.tier or ""),
        *responsible(sites.of(verdict.article)),
    ]


def _rhythm(watched: list[_Named]) -> Iterator[Metric]:
    yield gauge(
        "flatline_watched_article_silence_probability_ratio",
        "Probability that no link comes within the next 180 days (or the model's own horizon). Absent for articles "
        "with too little history.",
        ["article"],
        (([name], each.verdict.probability) for name, each in watched if each.verdict.probability is not None),
    )
    yield gauge(
        "flatline_watched_article_silence_seconds",
        "Time since the last day on which a watched article gained a link, by the worker's clock.",
        ["article"],
        (
            ([name], each.days_since_last_link * _DAY_S)
            for name, each in watched
            if each.days_since_last_link is not None
        ),
    )
    yield gauge(
        "flatline_watched_article_usual_gap_seconds",
        "Typical gap between days on which a watched article gained links: the geometric mean of the most recent ones. "
        "Compare its silence with this.",
        ["article"],
        (([name], each.usual_gap_days * _DAY_S) for name, each in watched if each.usual_gap_days),
    )
    yield gauge(
        "flatline_watched_article_last_gained_timestamp_seconds",
        "When the newest link of a watched article was gained.",
        ["article"],
        (
            ([name], each.verdict.last_gained_at.timestamp())
            for name, each in watched
            if each.verdict.last_gained_at is not None
        ),
    )


def _links(watched: list[_Named]) -> Iterator[Metric]:
    yield gauge(
        "flatline_watched_article_gained_links",
        "Links that a watched article gained in a window.",
        ["article", "window"],
        (([name, window], number) for name, each in watched for window, number in _gained(each.verdict)),
    )
    yield gauge(
        "flatline_watched_article_expected_links",
        "Links that a watched article was expected to gain in a window, from its own past and the curve of its "
        "kind. Absent for dormant articles and articles without links.",
        ["article", "window"],
        (
            ([name, window], expected.expected)
            for name, each in watched
            if each.verdict.expectation is not None
            for window, expected in _windows(each.verdict.expectation)
        ),
    )
    yield gauge(
        "flatline_watched_article_links",
        "Distinct links to a watched article. gained: ever gained; live: those of them whose newest report is not "
        "a loss.",
        ["article", "status"],
        (
            ([name, status], number)
            for name, each in watched
            for status, number in (("gained", each.verdict.gained_total), ("live", each.verdict.live))
        ),
    )
    yield gauge(
        "flatline_watched_article_referring_domains",
        "Distinct registrable domains of the links ever gained.",
        ["article"],
        (([name], each.verdict.referring_domains) for name, each in watched),
    )
    worths = [(name, each.verdict.worth) for name, each in watched if each.verdict.worth is not None]
    yield gauge(
        "flatline_watched_article_weighted_links",
        "Sum of the quality (0 to 1) of each referring domain's best link. Divide it by the number of domains for "
        "the mean quality.",
        ["article"],
        (([name], worth.weighted_total) for name, worth in worths),
    )
    yield gauge(
        "flatline_watched_article_worthy_links",
        "High-quality links among those gained in the last 90 days.",
        ["article"],
        (([name], worth.worthy_in_90_days) for name, worth in worths),
    )
    yield gauge(
        "flatline_watched_article_visits",
        "Visits that came over links in the last 28 days. Absent if visits are not counted.",
        ["article"],
        (
            ([name], each.verdict.impact.visits_in_days.last_28)
            for name, each in watched
            if each.verdict.impact is not None
        ),
    )


def _gained(verdict: Verdict) -> Iterator[tuple[str, int]]:
    """Yield the links of each window: of the same hours as what was expected, where something was."""
    expectation, gained = verdict.expectation, verdict.gained_in_days
    if expectation is not None:
        yield from ((window, expected.gained) for window, expected in _windows(expectation))
    else:
        yield from (("7d", gained.last_7), ("28d", gained.last_28), ("90d", gained.last_90))


def _windows(expectation: Expectation) -> Iterator[tuple[str, Expected]]:
    yield from (("7d", expectation.last_7), ("28d", expectation.last_28), ("90d", expectation.last_90))


def _size(snapshot: Snapshot) -> Iterator[Metric]:
    yield single(
        "flatline_watch_list_capacity",
        "How many articles may have their own series on this worker (FLATLINE_WATCH_LIST_SIZE).",
        snapshot.watch_list_capacity,
    )
    rows: list[Row] = [(["true"], snapshot.left_out_registered), (["false"], snapshot.left_out_found)]
    yield gauge(
        "flatline_watch_list_left_out",
        "Articles that do not fit on the watch list: they have no series and cause no alerts. registered=true: "
        "registered articles, for which somebody expects alerts; false: unregistered articles in trouble.",
        ["registered"],
        rows,
    )
