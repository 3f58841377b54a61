"""Addresses, what was registered and removed of them, and which article is at each now."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from sqlalchemy import Connection, func, select, update

from flatline.domain.sites import Sites
from flatline.domain.state.addresses import shown
from flatline.domain.state.article import NOTHING, Article, Header, Registration, registration_of
from flatline.domain.state.moves import Moves, Rule
from flatline.domain.state.segment import Segment
from flatline.domain.time import LATEST_MS, check_record_time, clamped_ms, to_ms
from flatline.domain.urls.canonical import article_key
from flatline.readmodel.database import upsert
from flatline.readmodel.records import Record
from flatline.readmodel.tables import addresses, links
from flatline.schema import codec
from flatline.schema.rejection import Rejected

AT_ONCE: Final = 500
"""Values in one IN of a statement."""

_REMEMBERED_MAX: Final = 500_000
_END: Final = chr(0x10FFFF)


class AddressRows:
    """The addresses of the read model, and the moves between them.

    ``moves``     those that are known, with what ``sites`` ignore
    ``is_simple``  of an article's id: whether it has one address, and nothing of it was ever removed
    """

    def __init__(self, connection: Connection, moves: Moves, sites: Sites) -> None:
        self.moves = moves
        self.sites = sites
        self._ids: dict[str, int] = {}
        self._next_id: int = (connection.scalar(select(func.max(addresses.c.id))) or 0) + 1
        self._current: dict[int, int] = dict(
            connection.execute(
                select(addresses.c.id, addresses.c.article_id).where(addresses.c.id != addresses.c.article_id)
            ).all()
        )
        self._not_simple = set(self._current.values()) | {
            article
            for article, state in connection.execute(
                select(addresses.c.article_id, addresses.c.state).where(addresses.c.state.is_not(None))
            )
            if decoded_state(b"", state).header.removed_ms
        }

    def is_simple(self, article_id: int) -> bool:
        """Whether what is shown of an article is what is known of the address with its id."""
        return article_id not in self._not_simple

    def article_of(self, address_id: int) -> int:
        """Return the id of the article that is at an address now."""
        return self._current.get(address_id, address_id)

    def known_ids(self, connection: Connection, keys: Iterable[str]) -> dict[str, int]:
        """Return the id of each address that is known."""
        found: dict[str, int] = {}
        for chunk in chunks(list(dict.fromkeys(keys))):
            statement = select(addresses.c.key, addresses.c.id).where(addresses.c.key.in_(chunk))
            found.update((key, number) for key, number in connection.execute(statement))
        return found

    def ids(self, connection: Connection, keys: Iterable[str]) -> dict[str, int]:
        """Return the id of each address; one that is new gets one."""
        wanted = list(dict.fromkeys(keys))
        missing = [key for key in wanted if key not in self._ids]
        found = self.known_ids(connection, missing)
        new = [key for key in missing if key not in found]
        if new:
            self._add(connection, new, found)
        if len(self._ids) + len(found) > _REMEMBERED_MAX:
            self._ids = {key: self._ids[key] for key in wanted if key in self._ids}
        self._ids.update(found)
        return {key: self._ids[key] for key in wanted}

    def _add(self, connection: Connection, keys: Sequence[str], found: dict[str, int]) -> None:
        for key in keys:
            found[key] = self._next_id
            self._next_id += 1
        connection.execute(
            addresses.insert(), [{"id": found[key], "key": key, "article_id": found[key]} for key in keys]
        )
        for key in keys:
            self._place(connection, key, found[key])

    def _place(self, connection: Connection, key: str, number: int) -> set[int]:
        """Put an address where it is now; return the ids of the articles that changed by that."""
        before, current = self.article_of(number), self.moves.current(key.encode()).decode()
        after = number if current == key else self.ids(connection, [current])[current]
        if before == after:
            return set()
        if after == number:
            del self._current[number]
        else:
            self._current[number] = after
        self._not_simple |= {before, after}
        connection.execute(update(addresses).where(addresses.c.id == number).values(article_id=after))
        connection.execute(update(links).where(links.c.address_id == number).values(article_id=after))
        return {before, after, number}

    def follow(self, connection: Connection, rules: Iterable[Rule], *, has_queries_anew: bool = False) -> set[int]:
        """Put all addresses where they are by the rules that changed; return the ids of articles that changed.

        ``has_queries_anew``: sites ignore other parameters than before
        """
        candidates: dict[str, int] = {}
        if has_queries_anew:
            with_query = select(addresses.c.key, addresses.c.id).where(addresses.c.key.contains("?", autoescape=True))
            candidates.update((key, number) for key, number in connection.execute(with_query))
        below = addresses.c.key
        for old in {rule.old for rule in rules}:
            statement = select(addresses.c.key, addresses.c.id).where(
                below.between(old.url, old.url + _END) if old.is_below else below == old.url
            )
            candidates.update((key, number) for key, number in connection.execute(statement) if old.covers(key))
        for chunk in chunks(list(self._current)):
            statement = select(addresses.c.key, addresses.c.id).where(addresses.c.id.in_(chunk))
            candidates.update((key, number) for key, number in connection.execute(statement))
        changed: set[int] = set()
        for key, number in sorted(candidates.items()):
            changed |= self._place(connection, key, number)
        return changed

    def register(self, connection: Connection, records: Iterable[Record]) -> set[int]:
        """Take article records; return the ids of the articles that changed. Tombstones come as removals, too."""
        taken: list[tuple[str, Registration]] = []
        for record in records:
            try:
                if record.value is not None:
                    registered = codec.articles.decode(record.value)
                    key = article_key(registered.url, field="url").decode()
                    taken.append((key, registration_of(registered, recorded_ms=record.timestamp)))
            except Rejected:
                continue
        stored = self._stored(connection, [key for key, _ in taken])
        changed = {key for key, registration in taken if stored[key].register(registration)}
        return self._store(connection, changed, stored)

    def remove(self, connection: Connection, records: Iterable[Record]) -> set[int]:
        """Take removals; return the ids of the articles that changed."""
        taken: list[tuple[str, int]] = []
        for record in records:
            try:
                if record.value is not None:
                    check_record_time(record.timestamp)
                    removal = codec.removals.decode(record.value)
                    key = article_key(removal.url, field="url").decode()
                    taken.append((key, clamped_ms(to_ms(removal.removed_at), recorded_ms=record.timestamp)))
            except Rejected:
                continue
        stored = self._stored(connection, [key for key, _ in taken])
        changed = {key for key, removed_ms in taken if stored[key].remove(removed_ms)}
        articles = self._store(connection, changed, stored)
        self._not_simple |= articles
        return articles

    def parts(self, connection: Connection, article_ids: Collection[int]) -> dict[int, list[Article]]:
        """Return what is known of the addresses of each article, without links and visits."""
        found: dict[int, list[Article]] = {number: [] for number in article_ids}
        for chunk in chunks(list(article_ids)):
            statement = select(addresses.c.article_id, addresses.c.key, addresses.c.state).where(
                addresses.c.article_id.in_(chunk)
            )
            for article_id, key, state in connection.execute(statement):
                found[article_id].append(decoded_state(key.encode(), state))
        return found

    def _stored(self, connection: Connection, keys: Sequence[str]) -> dict[str, Article]:
        ids = self.ids(connection, keys)
        found: dict[str, Article] = {}
        for chunk in chunks(list(ids.values())):
            statement = select(addresses.c.key, addresses.c.state).where(addresses.c.id.in_(chunk))
            for key, state in connection.execute(statement):
                found[key] = decoded_state(key.encode(), state)
        return found

    def _store(self, connection: Connection, keys: Collection[str], stored: dict[str, Article]) -> set[int]:
        ids = self.ids(connection, sorted(keys))
        rows = [
            {"id": number, "key": key, "article_id": self.article_of(number), "state": stored[key].encode()}
            for key, number in ids.items()
        ]
        upsert(connection, addresses, rows)
        return {self.article_of(number) for number in ids.values()}


def chunks(values: Sequence[int] | Sequence[str]) -> Iterable[Sequence[int] | Sequence[str]]:
    """Yield the values, AT_ONCE at a time."""
    return (values[at : at + AT_ONCE] for at in range(0, len(values), AT_ONCE))


def shown_header(key: bytes, parts: Sequence[Article], sample: Segment | None = None) -> Article:
    """Return the article that has these addresses: what was registered and removed, and at most one link of it."""
    look = [Article(part.key, part.header, Segment()) for part in parts]
    if sample is not None:
        look.append(Article(key, NOTHING, sample))
    return shown(key, look)


def decoded_state(key: bytes, state: bytes | None) -> Article:
    """Return what an address' row says was registered and removed."""
    if state is None:
        return Article(key, Header(watched_since_ms=LATEST_MS), Segment())
    return Article.decode(key, state, {})
