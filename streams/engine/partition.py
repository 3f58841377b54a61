"""The articles of one partition: as bytes until they are touched, and as bytes again when too many are not."""

import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import DecodeError, msgpack

from flatline.domain.imports.recent_links import RecentLinks
from flatline.domain.state.article import FORMAT_BYTE, Article, Header, check_format
from flatline.domain.state.segment import Segment
from flatline.domain.visibility.source_history import SourceHistory
from flatline.engine.log import Forwarded, Outgoing
from flatline.engine.turns import Turns

WARM_SEGMENTS_MAX: Final = 20_000

_KEY_BEGINS: Final = b"https://"
# Article keys are URLs, which never hold a NUL: key, NUL and low make the key of a further segment.
_SEPARATOR: Final = b"\0"
# The history of a source has a NUL and its name as key, which is no article's.
_SOURCE: Final = b"\0"
# Nor that of the offsets. Workers before it take it for a segment of an article that is not there, and leave it alone.
# It is there from the first committed offset on: a changelog without it was lost, even where records left no trace.
_POSITIONS: Final = b"positions" + _SEPARATOR
# Nor those of the newest links: this and the two bytes of a block's place.
_RECENT_LINKS: Final = b"recent-links"

SOURCES_MAX: Final = 500

UNREADABLE: Final = (ValueError, DecodeError)  # a UnicodeDecodeError is a ValueError, and a ValidationError the other

log = logging.getLogger("flatline.engine")

Change = tuple[bytes, bytes | None]
"""A changelog record: key and value, or None to delete what is there."""


def part_of(key: bytes) -> tuple[bytes, bytes]:
    """Return the article key of a changelog record, and which part of it the record holds: empty for the first one."""
    article_key, _, low = key.partition(_SEPARATOR)
    return article_key, low


class Partition:
    """What this worker knows of the articles of one partition, and what is still to be written.

    ``source_histories``  by source; whoever changes one calls `note_source_changed`
    ``recent_links``      the newest links, from which imports are recognised
    ``dirty``             articles that were changed since the last commit
    ``dead_letters``      records for the dead-letter topic
    ``rejected_until``    by topic, the offset after the last record that led to one
    ``forwarded``         records for other partitions, where they belong
    ``positions``         by topic, the offsets up to which records are in it and in the verdicts, as the changelog has
                          them
    """

    def __init__(self) -> None:
        self._articles: dict[bytes, Article | bytes] = {}
        self._further: dict[bytes, dict[bytes, bytes]] = {}  # further segments of articles that are bytes
        self._warm: list[Article] = []
        self._warm_segments = 0
        self._changes: list[Change] = []  # records that are bytes already
        self._taken: deque[Change] = deque()  # those of the changes that were taken last
        self._unencoded: dict[bytes, Article] = {}  # the articles of these, as long as they are as they were taken
        self.source_histories: dict[str, SourceHistory] = {}
        self.recent_links = RecentLinks()
        self._changed_sources: set[str] = set()
        self.dirty: list[Article] = []
        self._news: dict[bytes, None] = {}  # keys of articles that were changed since somebody took them
        self.dead_letters: list[Outgoing] = []
        self.rejected_until: dict[str, int] = {}
        self.forwarded: list[Forwarded] = []
        self.positions: dict[str, tuple[int, int]] = {}

    def __len__(self) -> int:
        return len(self._articles)

    def __contains__(self, key: object) -> bool:
        return key in self._articles

    def __iter__(self) -> Iterator[bytes]:
        """Return the keys of all articles."""
        return iter(self._articles)

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Apply one changelog record, before anything else was done. Raises UnknownFormatError.

        What nobody wrote as state is left out; of articles that is found when they are looked at.
        """
        try:
            self._restore(key, value)
        except UNREADABLE as error:
            log.warning("the state under %r can't be read, and is left out: %s", key, error)

    def _restore(self, key: bytes, value: bytes | None) -> None:
        article_key, separator, low = key.partition(_SEPARATOR)
        if value is None:
            self._articles.pop(key, None)
            self._further.get(article_key, {}).pop(low, None)
            return
        check_format(value)
        if key == _POSITIONS:
            self.positions = msgpack.decode(value[1:], type=dict[str, tuple[int, int]])
        elif not article_key:
            self.source_histories[low.decode()] = SourceHistory.decode(value[1:])
        elif article_key == _RECENT_LINKS:
            self.recent_links.restore(int.from_bytes(low), value[1:])
        elif not (article_key.startswith(_KEY_BEGINS) and article_key.isascii()):
            raise ValueError("an article's key is a canonical URL")
        elif separator:
            self._further.setdefault(article_key, {})[low] = value
        else:
            self._articles[key] = value

    def source_history(self, source: str) -> SourceHistory | None:
        """Return the history of a source, to add to it; None when there are SOURCES_MAX others."""
        history = self.source_histories.get(source)
        if history is None and len(self.source_histories) < SOURCES_MAX:
            history = self.source_histories[source] = SourceHistory()
        return history

    def note_source_changed(self, source: str) -> None:
        """Have the history of a source written with the next commit."""
        self._changed_sources.add(source)

    def peek(self, key: bytes) -> Article | None:
        """Return an article to look at; whoever changes it gives it back with `put`.

        One that can't be read is not there: somebody else wrote into the changelog. It is said so, once, and what is
        there of it is deleted, so that it doesn't come back as a part of what takes its place.
        """
        article = self._articles.get(key)
        if article.__class__ is bytes:
            try:
                return Article.decode(key, article, self._further.get(key, {}))
            except UNREADABLE as error:
                log.warning("article %r can't be read, and starts anew: %s", key, error)
                self._delete(key)
                return None
        return article  # type: ignore[return-value]

    def _delete(self, key: bytes) -> None:
        del self._articles[key]
        parts = self._further.pop(key, {})
        self._changes += [(key, None), *((key + _SEPARATOR + low, None) for low in parts)]

    def get(self, key: bytes) -> Article | None:
        """Return an article to work on; whoever changes it says so with `touch`."""
        if key in self._unencoded:
            self._encode(key)
        article = self._articles.get(key)
        if article.__class__ is bytes:
            article = self.peek(key)
            if article is not None:
                self._keep_warm(article)
        return article  # type: ignore[return-value]

    def create(self, key: bytes, *, now_ms: int) -> Article:
        """Return a new article."""
        article = Article(key, Header(watched_since_ms=now_ms), Segment())
        self._keep_warm(article)
        self.touch(article)
        return article

    def put(self, article: Article) -> None:
        """Have the header of an article that was only looked at written with the next commit."""
        if article.is_dirty:
            return  # it is written anyway
        record = article.encode()
        if self._articles.get(article.key) is not article:
            self._articles[article.key] = record
        self._changes.append((article.key, record))

    def touch(self, article: Article) -> None:
        """Have an article to work on written with the next commit, and judged. Say so after each change."""
        self._news[article.key] = None
        if not article.is_dirty:
            article.is_dirty = True
            self.dirty.append(article)

    def take_news(self) -> Iterable[bytes]:
        """Return the keys of the articles that were changed since this was last asked, judging left out."""
        news, self._news = self._news, {}
        return news

    def _keep_warm(self, article: Article) -> None:
        self._articles[article.key] = article
        self._further.pop(article.key, None)
        self._warm.append(article)
        self._warm_segments += len(article.segments)

    @property
    def is_changed(self) -> bool:
        """Whether there is anything to be written."""
        return bool(self._changes or self.dirty or self._changed_sources or self.recent_links.is_changed)

    def take_changes(self, positions: Mapping[str, tuple[int, int]] | None = None) -> Iterator[Change]:
        """Return the changelog records of all changes so far, and of ``positions`` if given; forget the changes.

        They are made as they are asked for, and say what was known when they were taken: an article that somebody gets
        to work on in the meantime is encoded before. Else a takeover would know what came after ``positions``. It would
        be delivered that again, as no news, and take it for judged.
        """
        if positions is not None:
            self.positions = dict(positions)
            self._changes.append((_POSITIONS, FORMAT_BYTE + msgpack.encode(self.positions)))
        changed_sources, self._changed_sources = self._changed_sources, set()
        self._changes += [
            (_RECENT_LINKS + _SEPARATOR + place.to_bytes(2), FORMAT_BYTE + block)
            for place, block in self.recent_links.take_changes()
        ]
        self._taken, self._changes = deque(self._changes), []
        self._unencoded, self.dirty = {article.key: article for article in self.dirty}, []
        return self._encoded(changed_sources)

    def _encoded(self, changed_sources: set[str]) -> Iterator[Change]:
        while self._taken or self._unencoded:
            if not self._taken:
                self._encode(next(iter(self._unencoded)))
            while self._taken:
                yield self._taken.popleft()
        yield from [
            (_SOURCE + source.encode(), FORMAT_BYTE + self.source_histories[source].encode())
            for source in changed_sources
        ]

    def _encode(self, key: bytes) -> None:
        article = self._unencoded.pop(key)
        article.is_dirty = False
        if self._articles.get(key) is article:  # else it is no more
            self._taken += self._records(article)

    def take_moved(self) -> Iterator[tuple[bytes, bytes, bytes]]:
        """Yield the changelog records of all changes so far to articles that moved, each after where that is.

        They are of the next changes that are taken, too.
        """
        if not any(article.header.moved_to for article in self.dirty):
            return
        moved = [article for article in self.dirty if article.header.moved_to]
        self.dirty = [article for article in self.dirty if not article.header.moved_to]
        for article in moved:
            article.is_dirty = False
            records = self._records(article)
            self._changes += records
            for key, record in records:
                yield (article.header.moved_to or "").encode(), key, record

    @staticmethod
    def _records(article: Article) -> list[tuple[bytes, bytes]]:
        further = article.encode_further(only_changed=True)
        return [(article.key, article.encode()), *((article.key + _SEPARATOR + low, each) for low, each in further)]

    async def cool(self) -> None:
        """Make bytes of all articles when too many are not, but for those that are still to be written."""
        if self._warm_segments <= WARM_SEGMENTS_MAX:
            return
        warm, self._warm, self._warm_segments = self._warm, [], 0
        turns = Turns()
        for article in warm:
            if article.is_dirty:
                self._warm.append(article)
                self._warm_segments += len(article.segments)
            elif self._articles.get(article.key) is article:
                self._articles[article.key] = article.encode()
                if further := dict(article.encode_further(only_changed=False)):
                    self._further[article.key] = further
            if turns.is_over:
                await turns.next()
