"""The units that Grafana knows, of those that fit Flatline's figures: a misspelt one would be shown as a suffix."""

from typing import Final

# https://github.com/grafana/grafana/blob/main/packages/grafana-data/src/valueFormats/categories.ts
UNITS: Final = frozenset(
    {
        *("none", "short", "string", "percent", "percentunit", "bytes", "decbytes", "Bps", "binBps", "bool"),
        *("bool_yes_no", "bool_on_off", "ns", "µs", "ms", "s", "m", "h", "d", "dtdurationms", "dtdurations", "dthms"),
        *("dtdhms", "dateTimeAsIso", "dateTimeAsIsoNoDateIfToday", "dateTimeAsLocal", "dateTimeAsSystem"),
        *("dateTimeFromNow", "cps", "ops", "eps", "recps", "reqps", "rps", "wps", "iops", "cpm", "opm", "rpm", "wpm"),
        *("locale", "sci"),
    }
)
# What Grafana makes of the rest of such a unit: words beside the figure, or how to write a date.
OWN_UNITS: Final = ("suffix:", "prefix:", "time:")
# What happens so many times a second.
PER_SECOND: Final = frozenset({"cps", "ops", "eps", "recps", "reqps", "rps", "wps", "iops"})
