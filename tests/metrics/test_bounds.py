"""However much there is, a worker shows a bounded part of it, and says what it left out."""

from flatline.domain.state.link import Effect
from flatline.metrics.limits import OTHER, SERIES_LABELLED_MAX, SOURCES_LABELLED_MAX
from flatline.metrics.snapshot import Snapshot
from flatline.schema.verdict import State
from tests.metrics.snapshots import SNAPSHOT, crowded, registry_of, samples_of

PROMISED_SERIES_MAX = 5_000


def test_a_crowded_worker_shows_fewer_series_than_promised() -> None:
    """A million articles, a thousand series, hundreds of sources and groups."""
    assert len(samples_of(registry_of(crowded()))) < PROMISED_SERIES_MAX


def test_sources_and_series_are_bounded_and_nothing_is_uncounted() -> None:
    """What has no label of its own is counted as other."""
    snapshot = crowded()
    samples = samples_of(registry_of(snapshot))
    events = {labels: value for (name, labels), value in samples.items() if name == "flatline_link_events_total"}
    assert len(events) == (SOURCES_LABELLED_MAX + 1) * len(Effect)
    assert sum(events.values()) == len(snapshot.freshness) * len(Effect)
    by_series = {labels: value for (name, labels), value in samples.items() if name == "flatline_series_articles"}
    assert len(by_series) == (SERIES_LABELLED_MAX + 1) * len(State)
    assert sum(by_series.values()) == sum(n for (_, series), n in snapshot.tally.items() if series)
    largest = (("series", "series-999"), ("state", "silent"))
    assert by_series[largest] == 1_000
    assert (("series", OTHER), ("state", "silent")) in by_series


def test_the_stalest_sources_are_shown() -> None:
    """Of more sources than have room, those that are furthest beyond their limits."""
    samples = samples_of(registry_of(crowded()._replace(freshness=crowded().freshness | SNAPSHOT.freshness)))
    stale = {labels: value for (name, labels), value in samples.items() if name == "flatline_source_stale"}
    assert len(stale) == SOURCES_LABELLED_MAX
    assert stale[("source", "north"),] == 1


def test_what_is_gone_is_not_shown() -> None:
    """A worker that gave its partitions away shows nothing of their articles, groups, cohorts and lags any more."""
    samples = samples_of(registry_of(Snapshot()))
    prefixes = ("flatline_watched_", "flatline_group_", "flatline_cohort", "flatline_consumer_lag", "flatline_series")
    assert not [name for name, _ in samples if name.startswith(prefixes)]
    assert {value for (name, _), value in samples.items() if name == "flatline_articles"} == {0}
