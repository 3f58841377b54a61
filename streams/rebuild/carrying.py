"""What a rebuilt article takes over from the state in use, because the log does not have it."""

import logging
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from msgspec import structs

from flatline.domain.judgement.verdict import previous_verdict_of
from flatline.domain.state.article import Article
from flatline.domain.state.moves import Moves
from flatline.domain.state.previous_verdict import PreviousVerdict
from flatline.domain.time import to_ms
from flatline.engine.partition import UNREADABLE, Partition
from flatline.rebuild.building_log import BuildingLog
from flatline.schema import codec
from flatline.schema.rejection import Rejected

_SEPARATOR = b"\0"

log = logging.getLogger("flatline.rebuild")


class Carried(NamedTuple):
    """When the watch of an article began, if that is known, and its last verdict.

    ``moved_to``  the current address of an article that moved: its state was copied there, and it is not judged here
    """

    watched_since_ms: int | None
    previous_verdict: PreviousVerdict | None
    moved_to: str | None = None


async def carry_over(
    articles: Partition, numbers: range, *, building_log: BuildingLog, moves: Moves
) -> dict[bytes, Carried]:
    """Add to articles what partitions of the state in use know of them, and note which of them moved.

    If that state was lost, the published verdicts are used instead. Return what these partitions know of articles that
    ``articles`` does not have. Raises KafkaError and UnknownFormatError.
    """
    carrying = _Carrying(articles, moves)
    for number in numbers:
        newest: dict[bytes, bytes | None] = {}  # a changelog may hold older records of a key

        def keep(key: bytes, value: bytes | None, newest: dict[bytes, bytes | None] = newest) -> None:
            newest[key] = None if _SEPARATOR in key else value  # links and visits come from the log

        await building_log.former.restore(number, keep)
        carrying.from_state(newest)
    if carrying.is_lost:
        carrying.from_verdicts({key: each for number in numbers for key, each in _published(building_log, number)})
    return carrying.unknown


class _Carrying:
    """Adds what is known to articles. ``unknown``: what is known of others; ``is_lost``: no state was found."""

    def __init__(self, articles: Partition, moves: Moves) -> None:
        self._articles = articles
        self._moves = moves
        self.unknown: dict[bytes, Carried] = {}
        self.is_lost = True

    def from_state(self, newest: Mapping[bytes, bytes | None]) -> None:
        """Take over the newest changelog records of a partition. Raises UnknownFormatError."""
        self.is_lost = self.is_lost and not newest
        for key, value in newest.items():
            if value is None:
                continue
            try:
                header = Article.decode(key, value, {}).header
            except UNREADABLE as error:
                log.warning("the former state of %r can't be read, and is left out: %s", key, error)
                continue
            if not header.is_copy:  # of a copy, its own partition has it
                self._take(key, Carried(header.watched_since_ms, header.previous_verdict, header.moved_to))

    def from_verdicts(self, said: Mapping[bytes, Carried]) -> None:
        """Take over the newest verdicts, because the state was lost."""
        for key, carried in said.items():
            self._take(key, carried)
        for key in list(self._articles):
            if key not in said and (current := self._moves.current(key)) != key:
                self._take(key, Carried(None, None, moved_to=current.decode()))

    def _take(self, key: bytes, carried: Carried) -> None:
        article = self._articles.peek(key) if key in self._articles else None
        if article is None or article.header.is_copy:
            self.unknown[key] = carried
        else:
            _give(self._articles, article, carried, self._moves)


def begin_with(articles: Partition, key: bytes, carried: Carried, *, now_ms: int) -> None:
    """Create an article whose links are all known under its former addresses; only its last verdict is its own."""
    header = articles.create(key, now_ms=now_ms).header
    header.watched_since_ms = carried.watched_since_ms or header.watched_since_ms
    header.previous_verdict = carried.previous_verdict


def _published(building_log: BuildingLog, number: int) -> Iterator[tuple[bytes, Carried]]:
    for key, value in building_log.former_verdicts(number):
        try:
            verdict = codec.verdicts.decode(value)
        except Rejected as rejected:
            log.warning("the verdict on %r can't be read, and is left out: %s", key, rejected)
            continue
        watched_since_ms = None if verdict.watched_since is None else to_ms(verdict.watched_since)
        yield key, Carried(watched_since_ms, previous_verdict_of(verdict))


def _give(articles: Partition, article: Article, carried: Carried, moves: Moves) -> None:
    key, header, previous = article.key, article.header, carried.previous_verdict
    if previous is not None and not previous.link_days and article.rhythm:
        previous = structs.replace(previous, link_days=article.rhythm.link_days)
    watched_since_ms = carried.watched_since_ms or header.watched_since_ms
    if (header.watched_since_ms, header.previous_verdict) != (watched_since_ms, previous):
        header.watched_since_ms, header.previous_verdict = watched_since_ms, previous
        articles.put(article)
    moved_to, current = carried.moved_to, moves.current(key)
    if moved_to is not None and current != key:
        moved_to = current.decode()
    if header.moved_to != moved_to:
        moved = articles.get(key)
        assert moved is not None, "it is among them"
        moved.header.moved_to = moved_to
        moved.mark_changed()
        articles.touch(moved)
