"""Which articles are registered, and which were removed since, read from their topics."""

from flatline.domain.state.moves import Moves
from flatline.domain.time import to_ms
from flatline.domain.urls.canonical import article_key
from flatline.kafka.cluster import KafkaCluster
from flatline.readmodel.latest_moves import latest_moves
from flatline.readmodel.records import Record, records
from flatline.schema import codec
from flatline.schema.article_record import ArticleRecord
from flatline.schema.rejection import Rejected
from flatline.schema.topics import Topics


class RegisteredArticles:
    """Article records and removals as workers apply them: of an article's records the newest, wherever it lay.

    ``records``: of the articles that are registered; ``removed``: the keys of those that are not any more. Both by the
    key that an article has now.
    """

    def __init__(self, moves: Moves) -> None:
        self.moves = moves
        self.records: dict[bytes, ArticleRecord] = {}
        self.removed: set[bytes] = set()
        self._recorded_ms: dict[bytes, int] = {}
        self._removed_ms: dict[bytes, int] = {}

    def register(self, record: Record) -> None:
        """Take an article record, or its tombstone. What can't be read is left out, as workers do."""
        try:
            if record.value is None:
                self._remove(article_key((record.key or b"").decode(errors="replace"), field="key"), record.timestamp)
                return
            article = codec.articles.decode(record.value)
            key = self.moves.current(article_key(article.url, field="url"))
        except Rejected:
            return
        if record.timestamp >= self._recorded_ms.get(key, 0):
            self._recorded_ms[key] = record.timestamp
            self.records[key] = article

    def remove(self, record: Record) -> None:
        """Take a removal."""
        try:
            removal = codec.removals.decode(record.value)
            self._remove(article_key(removal.url, field="url"), min(to_ms(removal.removed_at), record.timestamp))
        except Rejected:
            return

    def settle(self) -> None:
        """Part what is registered from what was removed, after all records were taken."""
        self.removed = {key for key, ms in self._removed_ms.items() if self._recorded_ms.get(key, -1) <= ms}
        for key in self.removed:
            self.records.pop(key, None)

    def _remove(self, key: bytes, removed_ms: int) -> None:
        key = self.moves.current(key)
        self._removed_ms[key] = max(removed_ms, self._removed_ms.get(key, removed_ms))


def registered_articles(cluster: KafkaCluster, topics: Topics) -> RegisteredArticles:
    """Read the topics to where they end now. Raises KafkaError."""
    registered = RegisteredArticles(latest_moves(cluster, topics))
    for record in records(cluster, topics.articles):
        registered.register(record)
    for record in records(cluster, topics.removals):
        registered.remove(record)
    registered.settle()
    return registered
