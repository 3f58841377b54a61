"""The agents of all topics that a worker takes records from."""

from types import ModuleType

from flatline.agents.articles import ArticleAgent
from flatline.agents.copies import CopyAgent
from flatline.agents.links import LinkAgent
from flatline.agents.record_agent import RecordAgent
from flatline.agents.removals import RemovalAgent
from flatline.agents.visits import VisitsAgent
from flatline.domain.policy.ignore import Ignored
from flatline.metrics import WorkerMetrics
from flatline.schema.topics import Topics


def input_agents(
    *, topics: Topics, metrics: WorkerMetrics, core: ModuleType | None, ignored: Ignored | None = None
) -> dict[str, RecordAgent]:
    """Return them by the names of their topics. ``core`` and ``ignored``: as of `LinkAgent`."""
    return {
        topics.links.name: LinkAgent(topics=topics, metrics=metrics, ignored=ignored, core=core),
        topics.articles.name: ArticleAgent(topics=topics, metrics=metrics),
        topics.visits.name: VisitsAgent(topics=topics, metrics=metrics),
        topics.removals.name: RemovalAgent(topics=topics, metrics=metrics),
        topics.copies.name: CopyAgent(topics=topics, metrics=metrics),
    }
