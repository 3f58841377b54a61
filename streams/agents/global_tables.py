"""What every worker knows whole, from topics that it reads from their beginning: `topic_reader`."""

from collections.abc import Mapping

from flatline.agents.survey import GroupVerdicts
from flatline.agents.topic_reader import Receive, heartbeat_receiver
from flatline.domain.alerts import Retirements
from flatline.domain.groups.totals import GroupTotals
from flatline.domain.imports.counts import ImportCounts
from flatline.domain.imports.imports import Imports
from flatline.domain.sites import Sites
from flatline.domain.state.moves import Moves
from flatline.domain.visibility.sources import Sources
from flatline.schema.topics import Topic, Topics


class GlobalTables:
    """The tables of one worker. ``receivers``: what takes the records of each topic."""

    def __init__(self, topics: Topics) -> None:
        self.sources = Sources()
        self.group_totals = GroupTotals(topics.layout.partitions)
        self.groups = GroupVerdicts()
        self.imports = Imports()
        self.import_counts = ImportCounts()
        self.sites = Sites()
        self.moves = Moves(sites=self.sites)
        self.retirements = Retirements()
        self.receivers: Mapping[Topic, Receive] = {
            topics.heartbeats: heartbeat_receiver(self.sources),
            topics.group_parts: self.group_totals.receive_record,
            topics.groups: self.groups.receive,
            topics.imports: self.imports.receive_record,
            topics.import_parts: self.import_counts.receive_record,
            topics.sites: self.sites.receive_record,
            topics.moves: self.moves.receive_record,
            topics.alert_marks: self.retirements.receive_record,
        }
