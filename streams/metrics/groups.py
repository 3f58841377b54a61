from collections.abc import Iterator
from heapq import nsmallest

from prometheus_client import Metric

from flatline.domain.time import DAY_MS
from flatline.metrics.families import gauge, single
from flatline.metrics.limits import GROUPS_LABELLED_MAX
from flatline.metrics.responsible import RESPONSIBLE, responsible, site_of
from flatline.metrics.snapshot import Snapshot
from flatline.schema.group import GroupState, GroupVerdict

_DAY_S = DAY_MS / 1000
_LABELS = ["kind", "group"]


def group_families(snapshot: Snapshot) -> Iterator[Metric]:
    """Yield what is said of groups, those in trouble first and then the largest."""

    def rank(group: GroupVerdict) -> tuple[bool, float, str]:
        return group.state is not GroupState.UNDER_CURVE, -group.last_90.expected, group.name

    chosen = nsmallest(GROUPS_LABELLED_MAX, snapshot.groups, key=rank)
    labelled = [([group.kind, group.name], group) for group in chosen]
    yield gauge(
        "flatline_group_state",
        "1 for the current state of a site, strategy, series or author; other states have no series. Sites that have "
        "a record say who is responsible for them.",
        [*_LABELS, "state", *RESPONSIBLE],
        (([*labels, group.state, *responsible(site_of(group, snapshot.sites))], 1) for labels, group in labelled),
    )
    yield gauge(
        "flatline_group_state_since_timestamp_seconds",
        "When the group entered its current state, by the worker's clock.",
        _LABELS,
        ((labels, group.since.timestamp()) for labels, group in labelled),
    )
    yield gauge(
        "flatline_group_articles",
        "Articles of a group. The more articles, the more reliable its verdict.",
        _LABELS,
        ((labels, group.articles) for labels, group in labelled),
    )
    yield gauge(
        "flatline_group_unseen",
        "1 while a group's verdict is held back because its sources do not report.",
        _LABELS,
        ((labels, group.suppressed) for labels, group in labelled),
    )
    windows = [
        ([*labels, window], tally)
        for labels, group in labelled
        for window, tally in (
            ("7d", group.last_7),
            ("28d", group.last_28),
            ("90d", group.last_90),
            ("stretch", group.stretch),
        )
        if tally is not None
    ]
    yield gauge(
        "flatline_group_expected_links",
        "Links that a group's articles were expected to gain in a window. stretch: the period up to now in which "
        "so few links are least probable.",
        [*_LABELS, "window"],
        ((labels, tally.expected) for labels, tally in windows),
    )
    yield gauge(
        "flatline_group_gained_links",
        "Links that a group's articles gained in a window.",
        [*_LABELS, "window"],
        ((labels, tally.gained) for labels, tally in windows),
    )
    yield gauge(
        "flatline_group_shortfall_probability_ratio",
        "Probability of so few links in the stretch if nothing had changed. Below the policy's threshold, the "
        "group is under its curve.",
        _LABELS,
        ((labels, group.chance) for labels, group in labelled if group.chance is not None),
    )
    yield gauge(
        "flatline_group_stretch_seconds",
        "Length of the period (stretch) in which so few links are least probable.",
        _LABELS,
        ((labels, group.stretch_days * _DAY_S) for labels, group in labelled if group.stretch_days is not None),
    )
    yield single(
        "flatline_groups_left_out",
        f"Groups judged by this worker that have no series: the smaller ones beyond {GROUPS_LABELLED_MAX}. "
        "`flatline groups list` shows them all.",
        len(snapshot.groups) - len(chosen),
    )


def cohort_families(snapshot: Snapshot) -> Iterator[Metric]:
    """Yield the curves of cohorts."""
    yield gauge(
        "flatline_cohort_links_ratio",
        "Share of its links (after the first day) that an article of the cohort has gained by an age, learned "
        "from all its articles. Absent for ages that too few have reached. Compare it with the often quoted 0.66 "
        "by 90 days.",
        ["kind", "cohort", "age"],
        (
            ([cohort.kind, cohort.name, f"{age_days}d"], share)
            for cohort in snapshot.cohorts
            for age_days, share in cohort.share_by_days.items()
            if share is not None
        ),
    )
    yield gauge(
        "flatline_cohort_articles",
        "Articles of the cohort. The more articles, the more reliable its curve.",
        ["kind", "cohort"],
        (([cohort.kind, cohort.name], cohort.articles) for cohort in snapshot.cohorts),
    )
