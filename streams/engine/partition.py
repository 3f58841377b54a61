"""The articles of one partition: as bytes until they are touched, and as bytes again when too many are not."""

from collections.abc import Iterator
from typing import Final

from streams.domain.article import MARK, Article, Header, check_format
from streams.domain.segment import Segment
from streams.domain.sight.heard import Heard
from streams.engine.log import Outgoing

WARM_SEGMENTS_MAX: Final = 20_000

# Article keys are URLs, which never hold a NUL: key, NUL and low make the key of a further segment.
_SEPARATOR: Final = b"\0"
# So no article has the key of what was heard of a source: NUL and its name.
_SOURCE: Final = b"\0"

# Under this key stands that the partition was begun. Without it a partition whose records left no trace, as they were
# ignored or could not be read, would look like one that was lost.
_BEGUN: Final = _SOURCE

SOURCES_MAX: Final = 500


class Partition:
    """What this worker knows of the articles of one partition, and what is still to be written.

    ``heard``         what was heard of each source; whoever changes it says so with `note_heard`
    ``dirty``         articles that were changed since the last commit
    ``dead_letters``  records for the dead-letter topic
    ``forwarded``     records for other partitions, where they belong
    ``next_offsets``  by topic, the offset after the last record that was applied
    """

    def __init__(self) -> None:
        self._articles: dict[bytes, Article | bytes] = {}
        self._further: dict[bytes, dict[bytes, bytes]] = {}  # further segments of articles that are bytes
        self._warm: list[Article] = []
        self._warm_segments = 0
        self._changes: list[tuple[bytes, bytes]] = []  # records that are bytes already
        self.heard: dict[str, Heard] = {}
        self._heard_changed: set[str] = set()
        self._is_begun = False  # whether the changelog says so
        self.dirty: list[Article] = []
        self.dead_letters: list[Outgoing] = []
        self.forwarded: list[Outgoing] = []
        self.next_offsets: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._articles)

    def __contains__(self, key: bytes) -> bool:
        return key in self._articles

    def __iter__(self) -> Iterator[bytes]:
        """Return the keys of all articles."""
        return iter(self._articles)

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Apply one changelog record, before anything else was done. Raises UnknownFormatError."""
        article_key, separator, low = key.partition(_SEPARATOR)
        if key == _BEGUN:
            self._is_begun = True
            return
        if value is None:
            self._articles.pop(key, None)
            return
        check_format(value)
        if not article_key:
            self.heard[low.decode()] = Heard.decode(value[1:])
        elif separator:
            self._further.setdefault(article_key, {})[low] = value
        else:
            self._articles[key] = value

    def heard_of(self, source: str) -> Heard | None:
        """Return what was heard of a source, to add to it; None when there are too many."""
        heard = self.heard.get(source)
        if heard is None and len(self.heard) < SOURCES_MAX:
            heard = self.heard[source] = Heard()
        return heard

    def note_heard(self, source: str) -> None:
        """Have what was heard of a source written with the next commit."""
        self._heard_changed.add(source)

    def peek(self, key: bytes) -> Article | None:
        """Return an article to look at; whoever changes it gives it back with `put`."""
        article = self._articles.get(key)
        if article.__class__ is bytes:
            return Article.decode(key, article, self._further.get(key, {}))
        return article  # type: ignore[return-value]

    def get(self, key: bytes) -> Article | None:
        """Return an article to work on; whoever changes it says so with `touch`."""
        article = self._articles.get(key)
        if article.__class__ is bytes:
            article = self.peek(key)
            self._keep_warm(article)  # type: ignore[arg-type]
        return article  # type: ignore[return-value]

    def create(self, key: bytes, *, now_ms: int) -> Article:
        """Return a new article."""
        article = Article(key, Header(watched_since_ms=now_ms), Segment())
        self._keep_warm(article)
        self.touch(article)
        return article

    def put(self, article: Article) -> None:
        """Have an article that was only looked at, and whose header was changed, written with the next commit."""
        if self._articles.get(article.key) is article:
            self.touch(article)
        else:
            record = self._articles[article.key] = article.encode()
            self._changes.append((article.key, record))

    def touch(self, article: Article) -> None:
        """Have an article to work on written with the next commit."""
        if not article.is_dirty:
            article.is_dirty = True
            self.dirty.append(article)

    def _keep_warm(self, article: Article) -> None:
        self._articles[article.key] = article
        self._further.pop(article.key, None)
        self._warm.append(article)
        self._warm_segments += len(article.segments)

    def take_changes(self) -> list[tuple[bytes, bytes]]:
        """Return the changelog records of all changes, and forget these."""
        changes, self._changes = self._changes, []
        if not self._is_begun:
            self._is_begun = True
            changes.append((_BEGUN, MARK + Heard().encode()))  # as of a source without a name, to earlier versions
        for article in self.dirty:
            article.is_dirty = False
            changes.append((article.key, article.encode()))
            changes += [
                (article.key + _SEPARATOR + low, encoded) for low, encoded in article.encode_further(only_changed=True)
            ]
        self.dirty = []
        changes += [(_SOURCE + source.encode(), MARK + self.heard[source].encode()) for source in self._heard_changed]
        self._heard_changed.clear()
        if self._warm_segments > WARM_SEGMENTS_MAX:
            self._cool()
        return changes

    def _cool(self) -> None:
        """Make bytes of all articles. None of them is dirty."""
        for article in self._warm:
            self._articles[article.key] = article.encode()
            if further := dict(article.encode_further(only_changed=False)):
                self._further[article.key] = further
        self._warm.clear()
        self._warm_segments = 0
