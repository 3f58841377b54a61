"""What is learned of articles like one, from the workers' survey as the read model keeps it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import Connection

from flatline.domain.groups.cohorts import Cohorts
from flatline.domain.groups.survey import VALUES, Membership
from flatline.domain.groups.totals import GroupTotals
from flatline.domain.groups.weekly_links import last_whole_week
from flatline.domain.time import to_ms
from flatline.readmodel.other_rows import apply_compacted
from flatline.readmodel.projection import GROUP_PARTS
from flatline.readmodel.queries.groups import baseline_of, list_cohorts
from flatline.schema import codec
from flatline.schema.group import GroupKind, GroupPart, SurveyRound
from tests.readmodel.projecting import database

PARTITIONS = 2
ENDED_AT = datetime(2026, 9, 1, tzinfo=UTC)
# With one name in several kinds, and one with the separator of keys in it.
GROUPS = (("site", "a.example"), ("site", "b.example"), ("strategy", "earned/asked"), ("series", "earned/asked"))


class Record(NamedTuple):
    """A record as the Kafka client gives it."""

    key: bytes
    value: bytes
    timestamp: int = to_ms(ENDED_AT)


def survey() -> list[Record]:
    """Return the survey of all partitions; no two groups have the same sums."""
    records = []
    for partition in range(PARTITIONS):
        for number, (kind, name) in enumerate(GROUPS, start=1):
            sums = [float(1_000 * number + 7 * place + partition) for place in range(VALUES)]
            part = GroupPart(GroupKind(kind), name, partition, ENDED_AT, {}, sums, last_whole_week(to_ms(ENDED_AT)))
            records.append(Record(f"{partition}/{kind}/{name}".encode(), codec.group_parts.encode(part)))
        ended = SurveyRound(partition, ENDED_AT, len(GROUPS))
        records.append(Record(str(partition).encode(), codec.survey_rounds.encode(ended)))
    return records


def totals() -> GroupTotals:
    """Return the survey as workers know it."""
    received = GroupTotals(PARTITIONS)
    for record in survey():
        received.receive_record(record.key, record.value, record.timestamp)
    return received


@contextmanager
def surveyed(folder: Path) -> Iterator[Connection]:
    """Read a read model that has the survey."""
    made = database(folder)
    with made.writing() as connection:
        apply_compacted(connection, GROUP_PARTS, survey())
    with made.reading() as connection:
        yield connection
    made.close()


@pytest.mark.parametrize(
    "membership",
    [
        Membership("a.example", "earned/asked", "earned/asked", None, "2026-01"),
        Membership("a.example", None, "earned/asked", None, None),
        Membership("b.example", "unknown", None, None, None),
        Membership("unknown.example", None, None, None, None),
    ],
)
def test_it_is_what_workers_learn(membership: Membership, tmp_path: Path) -> None:
    """Although the read model decodes the article's own groups alone, and workers decode all."""
    with surveyed(tmp_path) as connection:
        found = baseline_of(connection, membership, partitions=PARTITIONS)
    expected = totals().baseline_of(membership)
    days = (1, 30, 90, 365)
    assert found.links_an_article == expected.links_an_article
    assert [found.curve.share(day) for day in days] == [expected.curve.share(day) for day in days]


@pytest.mark.parametrize("kind", [GroupKind.SITE, GroupKind.STRATEGY])
def test_cohorts_are_those_of_all_records(kind: GroupKind, tmp_path: Path) -> None:
    """Although only the records of their kind, and of sites, are decoded; the quoted curve comes first."""
    with surveyed(tmp_path) as connection:
        quoted, of_all, *cohorts = list_cohorts(connection, kind, partitions=PARTITIONS)
    expected = Cohorts(totals())
    assert [(each.name, [(share.age_days, share.share) for share in each.shares]) for each in (of_all, *cohorts)] == [
        (each.name, list(each.share_by_days.items())) for each in (expected.all, *expected.of_kinds([kind]))
    ]
    assert len(cohorts) == sum(each == kind for each, _ in GROUPS)
    assert next(each.share for each in quoted.shares if each.age_days == 90) == 0.66
