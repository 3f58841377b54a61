from collections.abc import Iterator

from prometheus_client import Metric

from flatline.domain.judgement.watch_list import Watched
from flatline.domain.time import DAY_MS
from flatline.domain.urls.canonical import referring_domain, slug
from flatline.metrics.families import Row, gauge, single
from flatline.metrics.snapshot import Snapshot
from flatline.schema.verdict import Expectation, Expected, Verdict

_DAY_S = DAY_MS / 1000
_Named = tuple[str, Watched]


def watch_list_families(snapshot: Snapshot) -> Iterator[Metric]:
    """Yield what is said of the articles that have series of their own."""
    watched = [(slug(each.verdict.article), each) for each in snapshot.watched]
    yield gauge(
        "flatline_watched_article_info",
        "What is registered about a watched article; always 1. Join it for titles. Empty tier: nobody registered it.",
        ["article", "title", "series", "author", "strategy", "site", "tier"],
        (
            ([name, v.title or "", v.series or "", v.author or "", v.strategy or "", site, str(v.tier or "")], 1)
            for name, v, site in ((name, e.verdict, referring_domain(e.verdict.article)) for name, e in watched)
        ),
    )
    yield gauge(
        "flatline_watched_article_state",
        "1 for the state that a watched article is in; the other states have no series.",
        ["article", "state"],
        (([name, each.verdict.state], 1) for name, each in watched),
    )
    yield gauge(
        "flatline_watched_article_state_since_timestamp_seconds",
        "Since when it is in that state, by the worker's clock.",
        ["article"],
        (([name], each.verdict.since.timestamp()) for name, each in watched),
    )
    yield gauge(
        "flatline_watched_article_finding",
        "1 for what there is to say of a watched article beside its state; what doesn't hold has no series.",
        ["article", "finding"],
        (([name, finding.kind], 1) for name, each in watched for finding in each.verdict.findings),
    )
    yield gauge(
        "flatline_watched_article_finding_since_timestamp_seconds",
        "Since when that is to be said of it, by the worker's clock.",
        ["article", "finding"],
        (
            ([name, finding.kind], finding.since.timestamp())
            for name, each in watched
            for finding in each.verdict.findings
        ),
    )
    yield gauge(
        "flatline_watched_article_unseen",
        "1 while none of the usual sources of a watched article can see, or nothing worse is said of it because it "
        "could not be seen: the source's alert speaks, not the article's.",
        ["article"],
        (([name], each.is_unseen) for name, each in watched),
    )
    yield from _rhythm(watched)
    yield from _links(watched)
    yield from _size(snapshot)


def _rhythm(watched: list[_Named]) -> Iterator[Metric]:
    yield gauge(
        "flatline_watched_article_silence_probability_ratio",
        "Probability that no link comes within the horizon; absent for articles with too little history. Beyond the "
        "policy's threshold it is called silent.",
        ["article"],
        (([name], each.verdict.score) for name, each in watched if each.verdict.score is not None),
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
        "flatline_watched_article_mean_gap_seconds",
        "Mean length of the last gaps between days on which a watched article gained links: what its silence is to be "
        "compared with.",
        ["article"],
        (([name], each.mean_gap_days * _DAY_S) for name, each in watched if each.mean_gap_days),
    )
    yield gauge(
        "flatline_watched_article_last_gained_timestamp_seconds",
        "When the newest link of a watched article appeared.",
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
        "Links that it should have gained in a window, by its own past and the curve of its kind; absent without links "
        "and for dormant articles.",
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
        "Distinct links to a watched article. gained: ever; live: of those, the ones whose newest change is no loss.",
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
        "Sum of the quality (0 to 1) of each referring domain's best link. Over the number of domains it is their mean "
        "quality.",
        ["article"],
        (([name], worth.weighted_total) for name, worth in worths),
    )
    yield gauge(
        "flatline_watched_article_worthy_links",
        "Of the links gained in the last 90 days, those of a quality that matters.",
        ["article"],
        (([name], worth.worthy_in_90_days) for name, worth in worths),
    )
    yield gauge(
        "flatline_watched_article_visits",
        "Visits that came over links in the last 28 days; absent where visits were never counted.",
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
        "How many articles may have series of their own on this worker (FLATLINE_WATCH_LIST_SIZE).",
        snapshot.watch_list_capacity,
    )
    rows: list[Row] = [(["true"], snapshot.left_out_registered), (["false"], snapshot.left_out_found)]
    yield gauge(
        "flatline_watch_list_left_out",
        "Articles for which the watch list has no room: they have no series and no alert. registered=true: somebody "
        "counts on them, make room; false: articles in trouble that nobody registered.",
        ["registered"],
        rows,
    )
