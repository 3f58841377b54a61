"""What the tests of groups share: a day to judge on, a series, and the totals of given records."""

from collections.abc import Sequence
from datetime import UTC, datetime

from flatline.domain.groups.survey import Group
from flatline.domain.groups.totals import GroupTotals
from flatline.domain.groups.weekly_links import (
    last_whole_week,
)
from flatline.domain.policy.thresholds import Thresholds
from flatline.domain.time import DAY_MS
from flatline.schema.group import GroupKind, GroupPart, SurveyRound

THRESHOLDS = Thresholds()
NOW = 20_000
LAST_WEEK = last_whole_week(NOW * DAY_MS)
THEN = datetime(2026, 6, 1, tzinfo=UTC)
SERIES = Group(GroupKind.SERIES, "Field Notes")


def totals_of(partitions: int, records: Sequence[GroupPart | SurveyRound]) -> GroupTotals:
    """Return the totals of a survey's records."""
    received = GroupTotals(partitions)
    for record in records:
        received.receive(record)
    return received
