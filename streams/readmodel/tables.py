"""Tables of the read model, the same in SQLite and in PostgreSQL.

An *address* is an article key as events have it. An *article* is what is at an address now, and has that address' id:
several addresses may have moved to one. Instants are ms since the epoch; texts are as producers wrote them, and no more
to be trusted than that.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Dialect,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    UniqueConstraint,
    and_,
    func,
    literal_column,
)
from sqlalchemy import Text as AnyText
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator, TypeEngine

VERSION: Final = 12
"""Raise it with each change of the tables or of what is written into them: the read model is then made anew."""


class Text(TypeDecorator[str]):
    """A text of any length, in the order of its code points. PostgreSQL takes no NUL: none is stored."""

    impl = AnyText
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type of a database. SQLite compares code points, PostgreSQL by the rules of a language."""
        return postgresql.TEXT(collation="C") if dialect.name == "postgresql" else AnyText()

    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], str | None]:  # noqa: ARG002 - SQLAlchemy's
        """Return what makes of a value what is stored. It runs for each text that is written."""
        return storable


def storable(text: str | None) -> str | None:
    """Return a text as it is stored."""
    return text and text.replace("\0", "\ufffd")


metadata = MetaData()

# SQLite gives row numbers to this type alone.
_Id: Final = BigInteger().with_variant(Integer, "sqlite")

meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    comment="What the tables are made from, and of which version they are.",
)

positions = Table(
    "positions",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("next_offset", BigInteger, nullable=False),
    comment="The first record of each partition that the tables do not hold yet.",
)

addresses = Table(
    "addresses",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
    Column("key", Text, nullable=False, comment="Unique"),
    Column("article_id", BigInteger, nullable=False, index=True),
    Column("state", LargeBinary, comment="What was registered and removed, as `domain.state.article` encodes it"),
    comment="Article keys of events, and the article that is there now.",
)


def _find_by(name: str, column: Column[str]) -> None:
    """Have rows found by a long text: an entry of a B-tree of PostgreSQL has 2,704 bytes at most."""
    Index(name, column).ddl_if(dialect="sqlite")
    Index(f"{name}_hash", column, postgresql_using="hash").ddl_if(dialect="postgresql")


_find_by("addresses_by_key", addresses.c.key)

articles = Table(
    "articles",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
    Column("key", Text, nullable=False, comment="Canonical URL"),
    Column("is_there", Boolean, nullable=False, comment="Registered, linked to or visited, and not removed"),
    Column("site", Text, nullable=False, comment="Registrable domain"),
    Column("owner", Text, comment="Of its site, as the site's record says"),
    Column("title", Text),
    Column("author", Text),
    Column("series", Text),
    Column("strategy", Text),
    Column("tier", SmallInteger, comment="null: not registered"),
    Column("published_ms", BigInteger),
    Column("removed_ms", BigInteger, nullable=False),
    Column("gained", BigInteger, nullable=False),
    Column("lost", BigInteger, nullable=False, comment="Of `gained`, those that were lost at least once"),
    Column("live", BigInteger, nullable=False),
    Column("domains", BigInteger, nullable=False),
    Column("first_gained_ms", BigInteger),
    Column("last_gained_ms", BigInteger),
    Column("state", Text, comment="Of the newest verdict; so are the columns below"),
    Column("since_ms", BigInteger),
    Column("judged_ms", BigInteger),
    Column("probability", Float),
    Column("score", Float),
    Column("suppressed", Boolean),
    Column("is_floor", Boolean, comment="There are more links than are reported"),
    Column("reason", Text),
    Column("findings", Text, comment="Kinds, separated by spaces"),
    Column("verdict", LargeBinary, comment="The whole verdict, JSON as the topic has it"),
)


def _sort_by(name: str, column: ColumnElement[Any], number: Column[Any], *equal: Column[Any]) -> None:
    """Have rows in the order of a column, nulls at the lower end, as SQLite has them, within those of ``equal``."""
    Index(name, *equal, column, number).ddl_if(dialect="sqlite")
    descending = Index(f"{name}_descending", *equal, column.desc().nulls_last(), number.desc())
    descending.ddl_if(dialect="postgresql")


ARTICLE_ORDER: Final = func.substr(articles.c.key, literal_column("1"), literal_column("600"), type_=Text())
"""By address: as much of it as an index takes in any database."""

_find_by("articles_by_key", articles.c.key)
_sort_by("articles_by_address", ARTICLE_ORDER, articles.c.id)
for _sorted in ("gained", "live", "domains", "last_gained_ms", "since_ms", "probability", "score"):
    _sort_by(f"articles_by_{_sorted}", articles.c[_sorted], articles.c.id)
for _filtered in ("state", "site", "owner", "series", "author", "strategy"):
    Index(f"articles_of_{_filtered}", articles.c[_filtered])

links = Table(
    "links",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
    Column("address_id", BigInteger, nullable=False),
    Column("page", LargeBinary, nullable=False, comment="Fingerprint of the referring page"),
    Column("article_id", BigInteger, nullable=False),
    Column("is_shown", Boolean, nullable=False, comment="It counts: gained, not removed, not the same as another one"),
    Column("state", LargeBinary, nullable=False, comment="A `Segment` of this link alone, of this address alone"),
    # Of the link as it is shown: where a page links to several addresses of an article, of all of these.
    Column("first_gained_ms", BigInteger, nullable=False),
    Column("newest_ms", BigInteger, nullable=False, comment="Of the newest change"),
    Column("flags", Integer, nullable=False, comment="As in `domain.state.link`"),
    Column("is_live", Boolean, nullable=False),
    Column("was_lost", Boolean, nullable=False),
    Column(
        "is_organic",
        Boolean,
        nullable=False,
        comment="Found as a new link: not imported, labelled or not, and not a first meeting",
    ),
    Column("lost_reason", Text, comment="Of a link that is not live, a word of `schema.lost_reason`"),
    # Evidence: of the newest gain that says it.
    Column("said_ms", BigInteger, nullable=False),
    Column("url_from", Text, nullable=False),
    Column("domain", Text, nullable=False, comment="Registrable domain of the referring page"),
    Column("url_to", Text, nullable=False),
    Column("anchor", Text),
    Column("context", Text),
    Column("rel", Text, comment="Tokens, separated by spaces; empty: said to have none"),
    Column("placement", Text),
    Column("page_title", Text),
    Column("page_author", Text),
    Column("page_published_ms", BigInteger),
    Column("page_type", Text),
    Column("page_language", Text),
    Column("authority", Float),
    Column("discovery", Text, nullable=False),
    UniqueConstraint("address_id", "page"),
)
_sort_by("links_by_gain", links.c.first_gained_ms, links.c.id, links.c.article_id, links.c.is_shown)
Index("links_by_first_gain", links.c.first_gained_ms)
_sort_by("links_by_change", links.c.newest_ms, links.c.id, links.c.article_id, links.c.is_shown)
Index(
    "links_found",
    links.c.article_id,
    links.c.first_gained_ms,
    # They are all true here, but SQLite would look them up in the rows.
    links.c.is_shown,
    links.c.is_organic,
    sqlite_where=and_(links.c.is_shown, links.c.is_organic),
    postgresql_where=and_(links.c.is_shown, links.c.is_organic),
)
Index("links_from_domain", links.c.domain, links.c.is_shown, links.c.article_id, links.c.page, links.c.is_live)
Index(
    "links_by_domain",
    links.c.article_id,
    links.c.is_shown,
    links.c.domain,
    links.c.first_gained_ms,
    links.c.is_live,
)

link_sources = Table(
    "link_sources",
    metadata,
    Column("link_id", BigInteger, primary_key=True, autoincrement=False),
    Column("source", Text, primary_key=True, comment="Empty where events name none"),
    Column("first_seen_ms", BigInteger, nullable=False),
    Column("last_seen_ms", BigInteger, nullable=False),
    comment="Who saw a link, and when first and last. A loss is no sight of it.",
)

link_changes = Table(
    "link_changes",
    metadata,
    Column("link_id", BigInteger, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, primary_key=True),
    Column("change", Text, primary_key=True, comment="gained, restored, lost, suspected, or a `LookChangeKind`"),
    Column("source", Text, primary_key=True),
    Column("reason", Text, comment="Of a loss or suspicion; of another look, from what to what"),
    comment="What changed, and each loss and suspicion that was reported.",
)
Index(
    "links_turned_nofollow",
    link_changes.c.at_ms,
    link_changes.c.link_id,
    sqlite_where=link_changes.c.change == "nofollow",
    postgresql_where=link_changes.c.change == "nofollow",
)

Index(
    "links_suspected",
    link_changes.c.link_id,
    link_changes.c.at_ms,
    sqlite_where=link_changes.c.change == "suspected",
    postgresql_where=link_changes.c.change == "suspected",
)

sources = Table(
    "sources",
    metadata,
    Column("source", Text, primary_key=True),
    Column("first_seen_ms", BigInteger, nullable=False),
    Column("last_seen_ms", BigInteger, nullable=False),
    Column("links", BigInteger, nullable=False, server_default="0", comment="Sums of `article_sources`"),
    Column("only_here", BigInteger, nullable=False, server_default="0"),
    Column("first_here", BigInteger, nullable=False, server_default="0"),
    Column("corroborated", BigInteger, nullable=False, server_default="0"),
    Column("dead", BigInteger, nullable=False, server_default="0"),
    comment="When each source saw links first and last, and how many of those that count.",
)

source_days = Table(
    "source_days",
    metadata,
    Column("source", Text, primary_key=True),
    Column("day", Integer, primary_key=True, comment="UTC day since 1970-01-01 on which it saw what it reports"),
    Column("events", BigInteger, nullable=False, comment="Link events, losses and suspicions among them"),
)

heartbeat_days = Table(
    "heartbeat_days",
    metadata,
    Column("source", Text, primary_key=True),
    Column("day", Integer, primary_key=True, comment="UTC day since 1970-01-01"),
    Column("sent_ms", BigInteger, nullable=False),
    Column("seen_until_ms", BigInteger, nullable=False),
    Column("limit_ms", BigInteger, comment="How far behind it may be; null: nothing more is expected of it"),
    comment="The last heartbeat of each day. Their topic keeps the newest of each source alone.",
)

article_sources = Table(
    "article_sources",
    metadata,
    Column("article_id", BigInteger, primary_key=True, autoincrement=False),
    Column("source", Text, primary_key=True, comment="Empty where events name none"),
    Column("links", Integer, nullable=False, comment="That count, and that it saw"),
    Column("only_here", Integer, nullable=False, comment="Of these, those that no other source saw, re-checks apart"),
    Column("first_here", Integer, nullable=False, comment="Of all, those that no source saw earlier"),
    Column("corroborated", Integer, nullable=False, comment="Of `first_here`, those that another source saw, too"),
    Column("dead", Integer, nullable=False, comment="Of `first_here`, those that are not live any more"),
)

visits = Table(
    "visits",
    metadata,
    Column("address_id", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, comment="UTC day since 1970-01-01"),
    Column("domain", Text, primary_key=True),
    Column("visits", BigInteger, nullable=False),
)

verdict_history = Table(
    "verdict_history",
    metadata,
    Column("address_id", BigInteger, primary_key=True, autoincrement=False),
    Column("judged_ms", BigInteger, primary_key=True),
    Column("state", Text, comment="null: the verdict was taken back"),
    Column("since_ms", BigInteger),
    Column("suppressed", Boolean, nullable=False),
    Column("findings", Text, nullable=False, comment="Kinds, separated by spaces"),
    Column("probability", Float),
    Column("score", Float),
    Column("gained", BigInteger, nullable=False),
    Column("reason", Text),
)

groups = Table(
    "groups",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("articles", BigInteger, nullable=False),
    Column("verdict", LargeBinary, nullable=False, comment="JSON as the topic has it"),
)

group_history = Table(
    "group_history",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("judged_ms", BigInteger, primary_key=True),
    Column("state", Text),
    Column("since_ms", BigInteger),
    Column("suppressed", Boolean, nullable=False),
    Column("reason", Text),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", Text, primary_key=True, comment="As `domain.alerts` makes it of subject, kind and since"),
    Column("subject", Text, nullable=False, comment="Article key, or `kind/name` of a group"),
    Column("kind", Text, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("alerted_ms", BigInteger, nullable=False, comment="When it was said first"),
    Column("ended_ms", BigInteger, comment="When it was not said any more; null: it still is"),
    Column("reason", Text),
    Column("probability", Float, comment="That no link comes in `horizon_days`, as said when it alerted"),
    Column("horizon_days", BigInteger),
)
_find_by("alerts_by_subject", alerts.c.subject)
_sort_by("alerts_by_time", alerts.c.alerted_ms, alerts.c.id)

alert_marks = Table(
    "alert_marks",
    metadata,
    Column("alert_id", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("mark", Text, nullable=False, comment="right, expected, wrong or withdrawn"),
    Column("because", Text),
    Column("marked_ms", BigInteger, nullable=False),
    Column("marked_by", Text),
    Column("note", Text),
    comment="What people say of alerts: the last mark of each, also of alerts that are not in the history here.",
)

snoozes = Table(
    "snoozes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("labels", Text, nullable=False, comment="JSON"),
    Column("until_ms", BigInteger, nullable=False),
    Column("why", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("snoozed_ms", BigInteger, nullable=False),
    Column("is_ended", Boolean, nullable=False),
    comment="Alerts that are not told for a while: the last record of each snooze.",
)

annotations = Table(
    "annotations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("day", Text, nullable=False, comment="As 2026-01-31"),
    Column("text", Text, nullable=False),
    Column("address_id", BigInteger, index=True, comment="Of the article that it is on; null: it is on no article"),
    Column("site", Text, index=True, comment="Host that it is on; null, and no address: it is on everything"),
    Column("by", Text),
    Column("annotated_ms", BigInteger, nullable=False),
    Column("is_removed", Boolean, nullable=False),
    comment="Dated notes: the last record of each.",
)

compacted = Table(
    "compacted",
    metadata,
    Column("topic", Text, primary_key=True, comment="heartbeats, moves, sites or group_parts"),
    Column("digest", LargeBinary, primary_key=True, comment="Of the key, which may be long"),
    Column("about", LargeBinary, nullable=False, comment="Digest of what follows the key's first slash"),
    Column("key", LargeBinary, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("recorded_ms", BigInteger, nullable=False),
    comment="Records of small topics as they are: the domain's own code reads them.",
)
Index("compacted_by_about", compacted.c.topic, compacted.c.about)


def digest(key: bytes) -> bytes:
    """Return what stands for a key in `compacted`."""
    return blake2b(key, digest_size=16).digest()


dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False, comment="Offset"),
    Column("recorded_ms", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("topic", Text, comment="null: it was never in Kafka"),
    Column("partition", BigInteger),
    Column("record_offset", BigInteger),
    Column("source", Text),
    Column("file", Text),
    Column("line", BigInteger),
    Column("key", Text),
    Column("value", Text, nullable=False, comment="Its beginning"),
    Column("value_bytes", BigInteger, nullable=False),
    Column("resent_ms", BigInteger, comment="null: its record was not sent again"),
    Column("resent_by", Text),
)
Index("dead_letters_by_reason", dead_letters.c.reason, dead_letters.c.id)

live = Table(
    "live",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("kind", Text, nullable=False, comment="link, verdict, group or dead_letter"),
    Column("article", Text, comment="Key"),
    Column("said", Text, nullable=False, comment="JSON"),
    comment="The newest of what happened, for the live feed.",
)

SEARCHED: Final[Mapping[str, Sequence[Column[Any]]]] = {
    "article_search": (articles.c.title, articles.c.key),
    "link_search": (links.c.anchor, links.c.url_from, links.c.page_title),
}
"""What full-text search looks into."""
