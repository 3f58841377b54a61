"""What a scrape shows, put together from everything that a worker consists of."""

from collections import Counter
from collections.abc import Iterable

from flatline.agents.survey import Surveyor
from flatline.clock import Clock
from flatline.core import Core
from flatline.domain.judgement.watch_list import WatchList
from flatline.domain.sites import Sites
from flatline.domain.visibility.sources import Sources
from flatline.engine.assignment import Assignment
from flatline.engine.watchdog import LoopWatchdog
from flatline.metrics import Snapshot
from flatline.metrics.limits import MONTHS_LABELLED_MAX, STRATEGIES_LABELLED_MAX
from flatline.metrics.responsible import site_of
from flatline.schema.group import GroupVerdict
from flatline.settings import Settings
from flatline.worker.health import Health
from flatline.worker.lag import Lag
from flatline.worker.loop import IsCurrent, Worker


class Scrape:
    """Looks at one worker.

    Peers' articles and sites are judged, but not shown: nobody is alerted about them. Until the site records are read,
    no article and no group is shown, as it is not known whom its alerts are for.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        core: Core,
        assignment: Assignment,
        worker: Worker,
        surveyor: Surveyor,
        sources: Sources,
        lag: Lag,
        health: Health,
        loop_watchdog: LoopWatchdog,
        clock: Clock,
        sites: Sites,
        sites_read: IsCurrent,
    ) -> None:
        self._settings = settings
        self._core = core
        self._assignment = assignment
        self._worker = worker
        self._surveyor = surveyor
        self._sources = sources
        self._lag = lag
        self._health = health
        self._loop_watchdog = loop_watchdog
        self._clock = clock
        self._sites = sites
        self._sites_read = sites_read

    def snapshot(self) -> Snapshot:
        """Return what the gauges show now."""
        tasks = self._assignment.restored
        numbers = frozenset(task.number for task in tasks)
        for task in tasks:
            task.candidates.set_aside(self._sites.is_peer, self._sites.version)
        is_known_whose = self._sites_read.is_current
        watch_list = WatchList(self._settings.watch_list_size, [task.candidates for task in tasks])
        left_out_registered, left_out_found = watch_list.left_out()
        return Snapshot(
            tally=sum((task.due.tally for task in tasks), Counter()),
            windows=self._surveyor.windows(numbers),
            watched=watch_list.chosen() if is_known_whose else (),
            watch_list_capacity=watch_list.size,
            left_out_registered=left_out_registered,
            left_out_found=left_out_found,
            groups=self._shown(self._surveyor.owned(numbers)) if is_known_whose else (),
            sites=self._sites,
            cohorts=self._surveyor.cohorts(numbers, months=MONTHS_LABELLED_MAX, strategies=STRATEGIES_LABELLED_MAX),
            freshness=self._sources.freshness(self._clock.now_ms()),
            reporting_periods=self._sources.reporting_periods(),
            sources_left_out=self._sources.left_out,
            lag=self._lag.waiting(),
            partitions_declared=self._settings.partitions,
            partitions_assigned=len(self._assignment.tasks),
            partitions_recovered=len(tasks),
            recovery_s=self._assignment.recovery_s,
            last_commit_s=self._worker.last_durable_s,
            judged_until_s=min((task.due.judged_until_ms / 1000 for task in tasks), default=None),
            is_stuck=self._health.is_stuck(),
            event_loop_lag_s=self._loop_watchdog.lag_s,
            rebalances=self._assignment.rebalances,
            core=self._core,
        )

    def _shown(self, groups: Iterable[GroupVerdict]) -> list[GroupVerdict]:
        """Return all but the sites of peers."""
        named = [(group, site_of(group, self._sites)) for group in groups]
        return [group for group, site in named if site is None or site.role != "peer"]
