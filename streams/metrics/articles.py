from collections import Counter as Tally
from collections.abc import Iterator

from prometheus_client import Metric

from flatline.metrics.families import gauge
from flatline.metrics.limits import OTHER, SERIES_LABELLED_MAX
from flatline.metrics.snapshot import Snapshot
from flatline.schema.verdict import State


def article_families(snapshot: Snapshot) -> Iterator[Metric]:
    """Yield what all articles of the worker add up to."""
    by_state = Tally(dict.fromkeys(State, 0))
    by_series: Tally[tuple[str, State]] = Tally()
    sizes: Tally[str] = Tally()
    for (state, series), number in snapshot.tally.items():
        by_state[state] += number
        if series is not None and number:
            by_series[series, state] += number
            sizes[series] += number
    yield gauge(
        "flatline_articles",
        "Articles of this worker's partitions by state. The README explains the states.",
        ["state"],
        (([state], number) for state, number in by_state.items()),
    )
    labelled = {series for series, _ in sizes.most_common(SERIES_LABELLED_MAX)}
    bounded: Tally[tuple[str, State]] = Tally()
    for (series, state), number in by_series.items():
        bounded[series if series in labelled else OTHER, state] += number
    yield gauge(
        "flatline_series_articles",
        f"Registered articles with a series, by series and state. The smaller series beyond {SERIES_LABELLED_MAX} "
        f"are counted as {OTHER}.",
        ["series", "state"],
        (([series, state], number) for (series, state), number in bounded.items()),
    )
    windows = snapshot.windows.items()
    yield gauge(
        "flatline_gained_links",
        "Links gained in a window by the articles of this worker, except those whose sources do not report. Add "
        "up all workers.",
        ["window"],
        (([f"{days}d"], tally.gained) for days, tally in windows),
    )
    yield gauge(
        "flatline_expected_links",
        "Links that the same articles were expected to gain in a window, from each article's own past and the "
        "curve of its kind. If all sites gain far less than expected at once, the cause is rarely the content: "
        "look at the sources.",
        ["window"],
        (([f"{days}d"], tally.expected) for days, tally in windows),
    )
