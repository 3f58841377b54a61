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
        "Who reports links: how fresh each is, what it contributes, what of it is rejected.",
        [
            Row(1, "Freshness", _freshness()),
            Row(2, "What each contributes", _contribution()),
            Row(3, "What is wrong with it", _faults()),
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
            "Sources",
            "Sources that were heard of.",
            at_end(f"count({_STALE})", "sources"),
        ).height(8),
        figure(
            12,
            "Stale",
            "Sources that have fallen silent for longer than their limit: days that they did not see count for no "
            "silence. Red from 1 on; the runbook says where to look.",
            at_end(f"sum({_STALE})", "stale"),
            limits=[Limit(1, BAD)],
        ).height(8),
        facts(
            13,
            "Freshness and rhythm",
            "Up to when each source has seen everything, how far it may fall behind (three of its periods), how "
            "often it is heard, and the time within which four in five of its links are reported. Orange from two "
            "thirds of the limit on, red beyond it.",
            Column("State", _STALE, words=words({0: ("fresh", GOOD), 1: ("stale", BAD)})),
            Column("Behind", _STALENESS, "dtdurations", decimals=1),
            Column("May be", _LIMIT, "dtdurations", decimals=1),
            Column("Of limit", f"{_STALENESS} / {_LIMIT}", "percentunit", decimals=0, limits=near),
            Column("SourceHistory every", _PERIOD, "dtdurations", decimals=1),
            Column("Reports within", _LAG, "dtdurations", decimals=1),
            labels={"source": "Source"},
            sort_by="Of limit",
            links={"Source": of_source("__data.fields.Source")},
            width=16,
        ),
        lines(
            14,
            "Staleness against the limit",
            "How much of its limit each source has used. A saw's teeth well below 100 % are a rhythm kept; a line "
            "that climbs is a source that stopped. Dashed: the limit.",
            on_range(f"{_STALENESS} / {_LIMIT}", "{{source}}"),
            unit="percentunit",
            limits=[Limit(1, BAD)],
            is_many=True,
        ),
        lines(
            15,
            "Report lag",
            "Time within which four in five of a source's links are reported. Silence is believed only beyond it: a "
            f"slow source makes alerts late. {EMPTY_AT_FIRST}",
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
                "Links that it was first to report",
                "Links nobody had reported before, by source. A source whose share ends while the others' goes on "
                "has a problem of its own.",
                on_range(gained, "{{source}}"),
                unit="cps",
                is_many=True,
            )
        ),
        lines(
            22,
            "Corroboration",
            "Share of each source's events that say nothing new, as when a second source sees a link again. High: "
            "the others could do without it, and it without them; near 100 % on all: what comes is an import once "
            "more.",
            on_range(f"({seen_again} or 0 * {counted}) / ({counted} > 0)", "{{source}}"),
            unit="percentunit",
            is_many=True,
        ).max(1),
        stacked(
            lines(
                23,
                "What events change",
                "Link events applied, by what they changed. Many lost at once: a site went down, or a crawler thinks "
                "so. ignored: the policy leaves them out.",
                on_range(f"sum by (effect) ({over_time(_EVENTS, _CHOSEN)})", "{{effect}}"),
                unit="cps",
            )
        ),
        stacked(
            lines(
                24,
                "Pushed events",
                "Events that sources pushed to the ingest and Kafka acknowledged, links and visits, accepted or "
                "rejected.",
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
            "Share that is rejected",
            "Of what a source pushes in 15 minutes, the share that can't be read. Above 10 % (dashed), and ten events "
            f"at least, the sender is broken, not the event. {OF_ALL} {EMPTY_WHEN_WELL}",
            on_range(share, "{{source}}"),
            unit="percentunit",
            limits=[Limit(0.1, BAD)],
            is_many=True,
        ),
        lines(
            34,
            "Rejects",
            "Events that could not be read, in 15 minutes, by source. The sender was told, and they are in the "
            f"dead-letter topic. {OF_ALL} {EMPTY_WHEN_WELL}",
            on_range(rejected, "{{source}}"),
            is_many=True,
        ),
        lines(
            32,
            "Rejects by reason",
            "What was wrong with them, by source and reason. The first ones of a reason, after the ingest's start, "
            f"are not in it: how many there were is what the panel of rejects says. {EMPTY_WHEN_WELL}",
            on_range(f"sum by (source, reason) ({reasons})", "{{source}}: {{reason}}"),
            is_many=True,
        ),
        lines(
            33,
            "Clamped times",
            "Events dated before the web or after their own record, in 15 minutes: a clock is wrong there. They "
            f"count, at the nearest possible time. {OF_ALL} {EMPTY_WHEN_WELL}",
            on_range(clamped, "{{source}}"),
            is_many=True,
        ),
    ]
