"""From what a site lists to article records: new ones, and known ones with what they lacked."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from flatline.domain.time import EARLIEST_MS, to_ms
from flatline.schema import codec
from flatline.schema.article_record import ALIASES_MAX, ArticleRecord
from flatline.schema.limits import NAME_CHARACTERS_MAX, TITLE_CHARACTERS_MAX
from flatline_connectors.own_site.listing import ListedArticle
from flatline_connectors.sending.articles import PreparedArticle, prepare

_ELLIPSIS: Final = "…"

CurrentKey = Callable[[bytes], bytes]
"""The key that an article has after all moves, by any of its keys."""

SeriesOf = Callable[[str], str | None]
"""The series of an article by its canonical URL, if its site says so."""


class Registry(NamedTuple):
    """What is registered. ``records`` and ``removed`` are by the keys that the articles have now."""

    records: Mapping[bytes, ArticleRecord]
    removed: frozenset[bytes]
    current: CurrentKey


NOTHING_REGISTERED: Final = Registry({}, frozenset(), lambda key: key)


class Registrations(NamedTuple):
    """Records to send, by article key: of new articles, and of known ones. ``unchanged`` and ``removed`` are counts."""

    new: dict[bytes, ArticleRecord]
    completed: dict[bytes, ArticleRecord]
    unchanged: int
    removed: int


def registrations(
    listed: Mapping[str, ListedArticle], registry: Registry, series_of: SeriesOf = lambda _url: None
) -> Registrations:
    """Return what there is to register of these articles (by canonical URL).

    What is registered already stays: a record only gets the title, date, author and series that it lacks. What was
    removed stays removed.
    """
    new: dict[bytes, ArticleRecord] = {}
    completed: dict[bytes, ArticleRecord] = {}
    unchanged = removed = 0
    for url, article in listed.items():
        key = registry.current(url.encode())
        if key in registry.removed:
            removed += 1
        elif known := registry.records.get(key):
            record = _in_series(_completed(completed.get(key, known), article), series_of(url))
            if record == completed.get(key, known):
                unchanged += key not in completed
            else:
                completed[key] = record
        else:
            record = _completed(new.get(key) or ArticleRecord(article.url), article)
            new[key] = _in_series(record, series_of(url))
    return Registrations(new, completed, unchanged, removed)


def moved(old: ArticleRecord, article: ListedArticle, known: ArticleRecord | None) -> ArticleRecord | None:
    """Return the record of an article that is listed at another URL now, where ``known`` may be registered.

    None if its record can hold no more former addresses.
    """
    base = known or msgspec.structs.replace(old, url=article.url)
    aliases = list(dict.fromkeys([*base.aliases, *old.aliases, old.url]))
    if len(aliases) > ALIASES_MAX:
        return None
    record = msgspec.structs.replace(
        base,
        title=base.title or old.title,
        published_at=base.published_at or old.published_at,
        author=base.author or old.author,
        series=base.series or old.series,
        strategy=base.strategy or old.strategy,
        aliases=aliases,
    )
    return _completed(record, article)


class NoMove(Exception):
    """An article can't be registered at its new address. The message says why."""


def record_of_move(old: bytes, url: str, article: ListedArticle, registry: Registry) -> ArticleRecord:
    """Return the record of an article that has moved to a canonical URL, listed as ``article``. Raise `NoMove`."""
    key = registry.current(url.encode())
    if key in registry.removed:
        raise NoMove(f"it has moved to {url}, which was removed")
    record = moved(registry.records[old], article, registry.records.get(key))
    if record is None:
        raise NoMove(f"it has moved to {url}, which has too many former addresses already")
    return record


def prepared(record: ArticleRecord) -> PreparedArticle:
    """Return the record as it is sent. Raise `Rejected`."""
    return prepare(codec.articles.encode(record))


def _completed(record: ArticleRecord, article: ListedArticle) -> ArticleRecord:
    return msgspec.structs.replace(
        record,
        title=record.title or _cut(article.title, TITLE_CHARACTERS_MAX),
        published_at=record.published_at or _possible(article.published_at),
        author=record.author or _cut(article.author, NAME_CHARACTERS_MAX),
    )


def _in_series(record: ArticleRecord, series: str | None) -> ArticleRecord:
    return record if record.series or not series else msgspec.structs.replace(record, series=series)


def _possible(instant: datetime | None) -> datetime | None:
    """Leave out what a clock says that was never set."""
    return None if instant is None or to_ms(instant) < EARLIEST_MS else instant


def _cut(text: str | None, characters_max: int) -> str | None:
    """Shorten what a site says at length: it is only shown."""
    if text is None or len(text) <= characters_max:
        return text
    return text[: characters_max - 1] + _ELLIPSIS
