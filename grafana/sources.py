"""Sources: who reports links, how reliably, and what of it."""

from typing import Final

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

from grafana.annotations import alerts
from grafana.attention import DAY_S
from grafana.board import Row, board
from grafana.colours import BAD, DOUBTFUL, GOOD, GREY, MARKED, Limit, words
from grafana.glance import articles_unseen, stale_sources, workers_up
from grafana.links import SOURCES, to_source
from grafana.panels import EMPTY_AT_FIRST, EMPTY_WHEN_WELL, OF_ALL, coloured, figure, lines, stacked
from grafana.queries import OURS, WORKERS, at_end, in_24_hours, on_range, or_zero, over_time, recorded, series
from grafana.tables import Column, Label, facts
from grafana.variables import source

_CHOSEN: Final = 'source=~"$source"'
# Each worker knows how far a source has seen; the one that heard most of it is right.
_STALENESS: Final = f"min by (source) ({series('flatline_source_staleness_seconds', _CHOSEN)})"
_LIMIT: Final = f"max by (source) ({series('flatline_source_staleness_limit_seconds', _CHOSEN)})"
_STALE: Final = f"min by (source) ({series('flatline_source_stale', _CHOSEN)})"
_PERIOD: Final = f"max by (source) ({series('flatline_source_period_seconds', _CHOSEN)})"
_LAG: Final = f"max by (source) ({series('flatline_source_report_lag_seconds', _CHOSEN)})"
_EVENTS: Final = "flatline_link_events_total"
_REJECTED: Final = 'source_outcome:flatline_ingest_events:increase15m{outcome="rejected"}'
_CLAMPED: Final = "source:flatline_event_time_clamped:increase15m"
_INGESTS: Final = series("up", OURS, 'job="flatline-ingest"')
_EFFECTS: Final = {
    "gained": GOOD,
    "restored": "light-green",
    "lost": DOUBTFUL,
    "suspected": "light-orange",
    "seen_again": MARKED,
    "ignored": GREY,
}


def made() -> Dashboard:
    """Return the dashboard."""
    return board(
        SOURCES,
        "Sources",
        "The sources that report links: how up to date each one is, what it contributes, and what is rejected.",
        [
            Row(1, "How the sources do now", _freshness()),
            Row(4, "Rhythm of the sources", _rhythm()),
            Row(2, "What each source contributes", _contribution()),
            Row(3, "Rejected and misdated events", _faults()),
        ],
        chosen=[source()],
        events=[alerts("Source.*|ClockSkew|Ingest.*")],
        since="now-7d",
        refresh="1m",
    )


def _freshness() -> list[Builder[Panel]]:
    near = Limit(0.67, DOUBTFUL), Limit(1, BAD)
    return [
        figure(
            11,
            "Sources heard of",
            "Number of sources that have reported.",
            at_end(or_zero(f"count({_STALE})", WORKERS), "sources"),
        ),
        stale_sources(12),
        articles_unseen(16),
        figure(
            35,
            "Rejected in 24 h",
            "Events that could not be read in the last 24 hours, and were pushed to the ingest. The senders were told. "
            f"{OF_ALL}",
            at_end(or_zero(in_24_hours(_REJECTED), f"{_INGESTS} > 0"), "events"),
            limits=[Limit(1, DOUBTFUL)],
        ),
        figure(
            36,
            "Misdated in 24 h",
            "Link events of the last 24 hours dated before the web or after their own record: a clock is wrong. They "
            f"count, at the nearest possible time. {OF_ALL}",
            at_end(or_zero(in_24_hours(_CLAMPED), WORKERS), "events"),
            limits=[Limit(1, DOUBTFUL)],
        ),
        workers_up(17),
        facts(
            13,
            "Freshness of each source",
            "For how long a source was not heard, its limit (three of its periods), how often it is heard, and the "
            "time within which four in five of its links are reported. Orange from two thirds of the limit, red "
            "beyond it.",
            Label("source", "Source", at_least=180, link=to_source("__data.fields.Source")),
            Column("State", _STALE, words=words({0: ("fresh", GOOD), 1: ("stale", BAD)}), width=80),
            Column("Of limit", f"{_STALENESS} / {_LIMIT}", "percentunit", limits=near, width=90),
            Column("Not heard for", _STALENESS, "s", decimals=1, width=130),
            Column("Limit", _LIMIT, "s", decimals=1, width=120),
            Column("Heard every", _PERIOD, "s", decimals=1, width=120),
            Column("Reports within", _LAG, "s", decimals=1, width=130),
            sort_by="Of limit",
        ),
    ]


def _rhythm() -> list[Builder[Panel]]:
    return [
        lines(
            14,
            "Staleness against the limit",
            "How much of its limit each source has used. A saw-tooth well below 100 % is normal; a "
            "line that keeps rising is a source that has stopped reporting. Dashed: the limit.",
            on_range(f"{_STALENESS} / {_LIMIT}", "{{source}}"),
            unit="percentunit",
            limits=[Limit(1, BAD)],
            soft_max=1.2,
        ),
        lines(
            15,
            "Report lag of the sources, days",
            "Days within which four in five of a source's links are reported. Silence is believed only beyond it: a "
            f"slow source makes alerts late. {EMPTY_AT_FIRST}",
            on_range(f"{_LAG} / {DAY_S}", "{{source}}"),
            decimals=1,
            soft_max=1,
        ),
    ]


def _a_day(metric: str, *matchers: str) -> str:
    # Links come a few times a day: a rate per second would be a curve of needles.
    return f"increase({series(metric, _CHOSEN, *matchers)}[1d])"


def _contribution() -> list[Builder[Panel]]:
    gained, seen_again, counted = (
        f"sum by (source) ({_a_day(_EVENTS, effect)})"
        for effect in ('effect="gained"', 'effect="seen_again"', 'effect!="ignored"')
    )
    return [
        stacked(
            lines(
                21,
                "Links first reported, a day",
                "Links a day that nobody had reported before, by source. If a source's share ends while the others' "
                "goes on, that source has a problem of its own.",
                on_range(gained, "{{source}}"),
                soft_max=1,
            )
        ),
        lines(
            22,
            "Events that say nothing new",
            "Share of each source's events that report nothing new, for example because another "
            "source found the link first. A high share means that the sources cover for each other. "
            "Near 100 % everywhere means that old data is being imported again.",
            on_range(f"({seen_again} or 0 * {counted}) / ({counted} > 0)", "{{source}}"),
            unit="percentunit",
        ).max(1),
        coloured(
            stacked(
                lines(
                    23,
                    "What events change, a day",
                    "Link events applied a day, by what they changed. Many lost at once: a site went down, or a "
                    "crawler thinks so. ignored: the policy leaves them out.",
                    on_range(f"sum by (effect) ({_a_day(_EVENTS)})", "{{effect}}"),
                    soft_max=1,
                )
            ),
            _EFFECTS,
        ),
        stacked(
            lines(
                24,
                "Pushed events, a day",
                "Events a day that sources pushed to the ingest and Kafka acknowledged, links and visits, accepted or "
                "rejected.",
                on_range(f"sum by (source) ({_a_day('flatline_ingest_events_total')})", "{{source}}"),
                soft_max=1,
            )
        ),
    ]


def _faults() -> list[Builder[Panel]]:
    share = recorded(f"source:flatline_ingest_events_rejected:ratio_rate15m{{{_CHOSEN}}}")
    rejected = recorded(f'source_outcome:flatline_ingest_events:increase15m{{{_CHOSEN}, outcome="rejected"}}')
    reasons = over_time("flatline_ingest_rejected_total", _CHOSEN, function="increase")
    clamped = recorded(f"{_CLAMPED}{{{_CHOSEN}}}")
    return [
        lines(
            31,
            "Share of events rejected",
            "Share of the events a source pushed in 15 minutes that could not be read. Above 10 % "
            "(dashed) and at least ten events, the sender is broken rather than a single event. "
            f"{OF_ALL} {EMPTY_WHEN_WELL}",
            on_range(share, "{{source}}"),
            unit="percentunit",
            limits=[Limit(0.1, BAD)],
            soft_max=0.2,
            height=6,
        ),
        lines(
            34,
            "Events rejected by the ingest",
            "Events that could not be read, in 15 minutes, by source. The sender was told, and they "
            f"are in the dead-letter topic. {OF_ALL} {EMPTY_WHEN_WELL}",
            on_range(rejected, "{{source}}"),
            decimals=0,
            soft_max=10,
            height=6,
            legend=["max"],
        ),
        lines(
            32,
            "Rejected events by reason",
            "Reasons for rejections, by source. The first rejections for a reason after the ingest "
            f"starts are missing here; the panel of rejected events counts them all. {EMPTY_WHEN_WELL}",
            on_range(f"sum by (source, reason) ({reasons})", "{{source}}: {{reason}}"),
            decimals=0,
            soft_max=10,
            height=6,
            legend=["max"],
        ),
        lines(
            33,
            "Impossible dates",
            "Links dated before the web existed or later than their own record, in 15 minutes: the "
            "source's clock or date format is wrong. They are counted at the nearest possible time. "
            f"{OF_ALL} {EMPTY_WHEN_WELL}",
            on_range(clamped, "{{source}}"),
            decimals=0,
            soft_max=10,
            height=6,
            legend=["max"],
        ),
    ]
