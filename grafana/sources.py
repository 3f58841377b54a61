"""Sources: who reports links, how reliably, and what of it."""

from typing import Final

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

from grafana.annotations import alerts
from grafana.board import Row, board
from grafana.colours import BAD, DOUBTFUL, GOOD, Limit, words
from grafana.links import SOURCES, of_source
from grafana.panels import EMPTY_AT_FIRST, EMPTY_WHEN_WELL, OF_ALL, figure, lines, stacked
from grafana.queries import at_end, on_range, over_time, recorded, series
from grafana.tables import Column, facts
from grafana.variables import source

_CHOSEN: Final = 'source=~"$source"'
# Each worker knows how far a source has seen; the one that heard most of it is right.
_STALENESS: Final = f"min by (source) ({series('flatline_source_staleness_seconds', _CHOSEN)})"
_LIMIT: Final = f"max by (source) ({series('flatline_source_staleness_limit_seconds', _CHOSEN)})"
_STALE: Final = f"min by (source) ({series('flatline_source_stale', _CHOSEN)})"
_PERIOD: Final = f"max by (source) ({series('flatline_source_period_seconds', _CHOSEN)})"
_LAG: Final = f"max by (source) ({series('flatline_source_report_lag_seconds', _CHOSEN)})"
_EVENTS: Final = "flatline_link_events_total"


def made() -> Dashboard:
    """Return the dashboard."""
    return board(
        SOURCES,
        "Sources",
        "The sources that report links: how up to date each one is, what it contributes, and what is rejected.",
        [
            Row(1, "Freshness", _freshness()),
            Row(2, "Contribution", _contribution()),
            Row(3, "Errors", _faults()),
        ],
        chosen=[source()],
        alerts=alerts("Source.*|ClockSkew|Ingest.*"),
        since="now-2d",
        refresh="1m",
    )


def _freshness() -> list[Builder[Panel]]:
    near = Limit(0.67, DOUBTFUL), Limit(1, BAD)
    return [
        figure(
            11,
            "Known sources",
            "Number of sources that have reported.",
            at_end(f"count({_STALE})", "sources"),
        ).height(8),
        figure(
            12,
            "Stale sources",
            "Sources that have not reported for longer than their limit. Days that they do not cover "
            "do not count towards any article's silence. Red from 1: see SourceStale in the runbook.",
            at_end(f"sum({_STALE})", "stale"),
            limits=[Limit(1, BAD)],
        ).height(8),
        facts(
            13,
            "Freshness and rhythm",
            "For each source: how long ago its report ends, the limit (three of its periods), how "
            "often it usually reports, and the time within which four in five of its links are "
            "reported. Orange from two thirds of the limit, red beyond it.",
            Column("State", _STALE, words=words({0: ("fresh", GOOD), 1: ("stale", BAD)})),
            Column("Last report", _STALENESS, "dtdurations", decimals=1),
            Column("Limit", _LIMIT, "dtdurations", decimals=1),
            Column("Share of limit", f"{_STALENESS} / {_LIMIT}", "percentunit", decimals=0, limits=near),
            Column("Reports every", _PERIOD, "dtdurations", decimals=1),
            Column("Links reported within", _LAG, "dtdurations", decimals=1),
            labels={"source": "Source"},
            sort_by="Share of limit",
            links={"Source": of_source("__data.fields.Source")},
            width=16,
        ),
        lines(
            14,
            "Share of the limit used",
            "How much of its limit each source has used. A saw-tooth well below 100 % is normal; a "
            "line that keeps rising is a source that has stopped reporting. Dashed: the limit.",
            on_range(f"{_STALENESS} / {_LIMIT}", "{{source}}"),
            unit="percentunit",
            limits=[Limit(1, BAD)],
            is_many=True,
        ),
        lines(
            15,
            "Reporting delay",
            "Time within which four in five of a source's links are reported. Days more recent than "
            f"that do not count as silence, so a slow source delays alerts. {EMPTY_AT_FIRST}",
            on_range(_LAG, "{{source}}"),
            unit="s",
            is_many=True,
        ),
    ]


def _contribution() -> list[Builder[Panel]]:
    gained, seen_again, counted = (
        f"sum by (source) ({over_time(_EVENTS, _CHOSEN, effect)})"
        for effect in ('effect="gained"', 'effect="seen_again"', 'effect!="ignored"')
    )
    return [
        stacked(
            lines(
                21,
                "New links by source",
                "Links per second that nobody had reported before, by source. If one source's share "
                "ends while the others continue, that source has a problem.",
                on_range(gained, "{{source}}"),
                unit="cps",
                is_many=True,
            )
        ),
        lines(
            22,
            "Repeated links",
            "Share of each source's events that report nothing new, for example because another "
            "source found the link first. A high share means that the sources cover for each other. "
            "Near 100 % everywhere means that old data is being imported again.",
            on_range(f"({seen_again} or 0 * {counted}) / ({counted} > 0)", "{{source}}"),
            unit="percentunit",
            is_many=True,
        ).max(1),
        stacked(
            lines(
                23,
                "Effect of link events",
                "Link events applied per second, by effect. Many lost links at once: a site went "
                "down, or a crawler reports that by mistake. ignored: the policy excludes them.",
                on_range(f"sum by (effect) ({over_time(_EVENTS, _CHOSEN)})", "{{effect}}"),
                unit="cps",
            )
        ),
        stacked(
            lines(
                24,
                "Pushed events",
                "Events (links and visits) that sources pushed and Kafka acknowledged, accepted or rejected.",
                on_range(
                    f"sum by (source) ({over_time('flatline_ingest_events_total', _CHOSEN)})",
                    "{{source}}",
                ),
                unit="cps",
                is_many=True,
            )
        ),
    ]


def _faults() -> list[Builder[Panel]]:
    share = recorded(f"source:flatline_ingest_events_rejected:ratio_rate15m{{{_CHOSEN}}}")
    rejected = recorded(f'source_outcome:flatline_ingest_events:increase15m{{{_CHOSEN}, outcome="rejected"}}')
    reasons = over_time("flatline_ingest_rejected_total", _CHOSEN, function="increase")
    clamped = recorded(f"source:flatline_event_time_clamped:increase15m{{{_CHOSEN}}}")
    return [
        lines(
            31,
            "Share of rejected events",
            "Share of the events a source pushed in 15 minutes that could not be read. Above 10 % "
            "(dashed) and at least ten events, the sender is broken rather than a single event. "
            f"{OF_ALL} {EMPTY_WHEN_WELL}",
            on_range(share, "{{source}}"),
            unit="percentunit",
            limits=[Limit(0.1, BAD)],
            is_many=True,
        ),
        lines(
            34,
            "Rejected events",
            "Events that could not be read, in 15 minutes, by source. The sender was told, and they "
            f"are in the dead-letter topic. {OF_ALL} {EMPTY_WHEN_WELL}",
            on_range(rejected, "{{source}}"),
            is_many=True,
        ),
        lines(
            32,
            "Rejected events by reason",
            "Reasons for rejections, by source. The first rejections for a reason after the ingest "
            f"starts are missing here; the panel of rejected events counts them all. {EMPTY_WHEN_WELL}",
            on_range(f"sum by (source, reason) ({reasons})", "{{source}}: {{reason}}"),
            is_many=True,
        ),
        lines(
            33,
            "Impossible dates",
            "Links dated before the web existed or later than their own record, in 15 minutes: the "
            "source's clock or date format is wrong. They are counted at the nearest possible time. "
            f"{OF_ALL} {EMPTY_WHEN_WELL}",
            on_range(clamped, "{{source}}"),
            is_many=True,
        ),
    ]
