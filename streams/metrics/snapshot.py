from collections.abc import Mapping, Sequence
from typing import NamedTuple

from flatline.core import Core
from flatline.domain.groups.cohorts import Cohort
from flatline.domain.judgement.watch_list import Watched
from flatline.domain.sites import Sites
from flatline.domain.visibility.sources import Freshness, ReportingPeriod
from flatline.schema.group import GroupVerdict, Tally
from flatline.schema.verdict import State

_NO_SITES = Sites()


class Snapshot(NamedTuple):
    """What the worker's gauges show at one instant; durations in seconds, instants in s of the wall clock."""

    tally: Mapping[tuple[State, str | None], int] = {}  # articles by state and series
    windows: Mapping[int, Tally] = {}  # links expected and gained by all articles of the sites judged here, by days
    watched: Sequence[Watched] = ()
    watch_list_capacity: int = 0
    left_out_registered: int = 0
    left_out_found: int = 0
    groups: Sequence[GroupVerdict] = ()
    sites: Sites = _NO_SITES
    cohorts: Sequence[Cohort] = ()
    freshness: Mapping[str, Freshness] = {}
    reporting_periods: Mapping[str, ReportingPeriod] = {}
    sources_left_out: int = 0
    lag: Mapping[tuple[str, int], int] = {}
    partitions_declared: int = 0
    partitions_assigned: int = 0
    partitions_recovered: int = 0
    recovery_s: float = 0.0
    last_commit_s: float | None = None
    judged_until_s: float | None = None  # by the clock that the worker goes by
    is_stuck: bool = False
    event_loop_lag_s: float = 0.0
    rebalances: int = 0
    core: Core = Core.PYTHON
