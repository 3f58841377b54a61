"""Applies records of all topics to the read model: what they change and how far they go, in one transaction."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, select

from flatline.domain.policy.policy import Policy
from flatline.readmodel.address_rows import AddressRows
from flatline.readmodel.alert_rows import apply_marks
from flatline.readmodel.annotation_rows import apply_annotations
from flatline.readmodel.article_rows import sum_up
from flatline.readmodel.database import Database, upsert
from flatline.readmodel.imported_links import receive_imports, show_imported, stored_imports
from flatline.readmodel.link_rows import LinkRows, show_articles, show_pages
from flatline.readmodel.live_rows import LiveRows
from flatline.readmodel.other_rows import StoredRecord, apply_compacted, apply_dead_letters, apply_visits
from flatline.readmodel.owners import owners_said, write_owners
from flatline.readmodel.queries.moves import MOVES, SITES, receive_all, stored_moves, stored_sites
from flatline.readmodel.read_models import stored_positions
from flatline.readmodel.snooze_rows import apply_snoozes
from flatline.readmodel.source_days import note_heartbeats
from flatline.readmodel.tables import addresses as address_table
from flatline.readmodel.tables import positions
from flatline.readmodel.verdict_rows import apply_groups, apply_verdicts
from flatline.schema.topics import Topic, Topics

Batch = Mapping[tuple[str, int], Sequence[StoredRecord]]
"""Records by topic and partition, in the order of their offsets."""

HEARTBEATS: Final = "heartbeats"
GROUP_PARTS: Final = "group_parts"


def followed(topics: Topics) -> tuple[Topic, ...]:
    """Return the topics that the read model is made from."""
    return (
        topics.moves,
        topics.sites,
        topics.articles,
        topics.removals,
        topics.links,
        topics.imports,
        topics.visits,
        topics.heartbeats,
        topics.verdicts,
        topics.groups,
        topics.alert_marks,
        topics.snoozes,
        topics.annotations,
        topics.group_parts,
        topics.dead_letters,
    )


class Projection:
    """The writer of a read model. For one thread alone."""

    def __init__(self, database: Database, topics: Topics, policy: Policy, *, is_building: bool = False) -> None:
        """Go on from what the database holds.

        ``is_building``: nobody reads it until `settle`. So articles are summed up and words are indexed then, and not
        with each batch
        """
        self._is_building = is_building
        self._database = database
        self._topics = topics
        self._policy = policy
        with database.writing() as connection:
            if is_building:
                database.stop_indexing_words(connection)
            self._begin(connection)

    def _begin(self, connection: Connection) -> None:
        sites = stored_sites(connection)
        self._addresses = AddressRows(connection, stored_moves(connection, sites), sites)
        self._links = LinkRows(connection, self._addresses, self._policy.ignored)
        self._live = LiveRows(connection)
        self._imports = stored_imports(connection)
        self._positions = stored_positions(connection)

    def position(self, topic: str, partition: int) -> int:
        """Return the first offset that is not applied."""
        return self._positions.get((topic, partition), 0)

    def apply(self, batch: Batch) -> int:
        """Apply records that were not applied yet, all or none of them; return how many these were.

        Those of topics that others depend on come first. After an error it is in an unknown state: make a new one.
        """
        new = {
            place: [record for record in records if record.offset >= self.position(*place)]
            for place, records in batch.items()
        }
        new = {place: records for place, records in new.items() if records}
        if not new:
            return 0
        by_topic: dict[str, list[Any]] = {}
        for (topic, _), records in new.items():
            by_topic.setdefault(topic, []).extend(records)
        ends = {place: records[-1].offset + 1 for place, records in new.items()}
        with self._database.writing() as connection:
            self._apply(connection, by_topic)
            _store_positions(connection, ends)
        self._positions |= ends
        return sum(len(records) for records in new.values())

    def skip_to(self, ends: Mapping[tuple[str, int], int]) -> None:
        """Note that there is nothing to apply before these offsets: the ends of transactions have offsets, too."""
        further = {place: end for place, end in ends.items() if end > self.position(*place)}
        if further:
            with self._database.writing() as connection:
                _store_positions(connection, further)
            self._positions |= further

    def settle(self) -> None:
        """Sum up all articles and index all words, and from now on those that change with each batch."""
        with self._database.writing() as connection:
            articles = set(connection.scalars(select(address_table.c.article_id)))
            sum_up(connection, self._addresses, articles, links_bring_back=self._policy.links_bring_back)
            self._database.index_words(connection)
        self._is_building = False

    def _apply(self, connection: Connection, by_topic: Mapping[str, Sequence[StoredRecord]]) -> None:
        def of(topic: Topic) -> Sequence[StoredRecord]:
            return by_topic.get(topic.name, ())

        topics, addresses = self._topics, self._addresses
        moved = self._follow_moves(connection, of(topics.moves), of(topics.sites))
        changed = addresses.register(connection, of(topics.articles))
        removed = addresses.remove(connection, of(topics.removals))
        links = self._links.apply(connection, of(topics.links))
        gained_ms = links.gained_ms | receive_imports(connection, self._imports, of(topics.imports))
        gained_ms |= show_articles(connection, addresses, moved | removed)
        gained_ms |= show_pages(connection, addresses, links.pages)
        show_imported(connection, self._imports, gained_ms)
        changed |= moved | removed | links.articles | apply_visits(connection, addresses, of(topics.visits))
        changed |= apply_annotations(connection, addresses, of(topics.annotations))
        if not self._is_building:
            sum_up(connection, addresses, changed, links_bring_back=self._policy.links_bring_back)
        for name, topic in ((HEARTBEATS, topics.heartbeats), (GROUP_PARTS, topics.group_parts)):
            apply_compacted(connection, name, of(topic))
        note_heartbeats(connection, of(topics.heartbeats))
        happened = [
            *links.happened,
            *apply_verdicts(connection, addresses, of(topics.verdicts)),
            *apply_groups(connection, of(topics.groups)),
            *apply_dead_letters(connection, of(topics.dead_letters)),
        ]
        apply_marks(connection, of(topics.alert_marks))
        apply_snoozes(connection, of(topics.snoozes))
        self._live.add(connection, happened)

    def _follow_moves(
        self, connection: Connection, moved: Sequence[StoredRecord], of_sites: Sequence[StoredRecord]
    ) -> set[int]:
        if not moved and not of_sites:
            return set()
        apply_compacted(connection, MOVES, moved)
        apply_compacted(connection, SITES, of_sites)
        moves, sites = self._addresses.moves, self._addresses.sites
        known, version, owners = len(moves.log), sites.ignored_parameters_version, owners_said(sites)
        receive_all(moves.receive_record, ((record.key or b"", record.value) for record in moved))
        receive_all(sites.receive_record, ((record.key or b"", record.value) for record in of_sites))
        if owners_said(sites) != owners:
            write_owners(connection, sites)
        is_ignoring_others = sites.ignored_parameters_version != version
        if len(moves.log) == known and not is_ignoring_others:
            return set()
        return self._addresses.follow(connection, moves.log[known:], has_queries_anew=is_ignoring_others)


def _store_positions(connection: Connection, ends: Mapping[tuple[str, int], int]) -> None:
    rows = [{"topic": topic, "partition": number, "next_offset": end} for (topic, number), end in ends.items()]
    upsert(connection, positions, rows)
