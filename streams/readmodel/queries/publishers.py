"""Publishers: the referring domains of links to all articles."""

from collections import defaultdict
from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta, Struct
from sqlalchemy import Connection, func, select

from flatline.domain.events.look_changes import LookChangeKind
from flatline.domain.state import link
from flatline.domain.time import DAY_MS, to_datetime
from flatline.readmodel.queries.moves import stored_sites
from flatline.readmodel.tables import articles, link_changes, links

TURNED_WITHIN_DAYS: Final = 14
LINKS_MIN: Final = 5
PUBLISHERS_MAX: Final = 50


class TurnedPublisher(Struct, frozen=True):
    """A publisher whose links turned nofollow within two weeks; they are live, and nofollow still."""

    domain: Annotated[str, Meta(description="Registrable domain of the referring pages")]
    links: int
    articles: Annotated[int, Meta(description="To so many articles")]
    first_at: Annotated[datetime, Meta(description="When the first of them was seen to have turned")]
    last_at: datetime


def turned_nofollow(connection: Connection, *, now_ms: int) -> list[TurnedPublisher]:
    """Return the publishers that had LINKS_MIN links or more turn nofollow lately, those with most links first.

    Links to the articles of peers are left out.
    """
    sites = stored_sites(connection)
    statement = (
        select(
            links.c.domain,
            articles.c.key,
            func.count(links.c.id.distinct()),
            func.min(link_changes.c.at_ms),
            func.max(link_changes.c.at_ms),
        )
        .join(links, links.c.id == link_changes.c.link_id)
        .join(articles, articles.c.id == links.c.article_id)
        .where(link_changes.c.change == LookChangeKind.NOFOLLOW.value)
        .where(link_changes.c.at_ms > now_ms - TURNED_WITHIN_DAYS * DAY_MS)
        .where(links.c.is_shown, links.c.is_live, links.c.flags.bitwise_and(link.NOFOLLOW) != 0)
        .group_by(links.c.domain, articles.c.key)
    )
    by_domain = defaultdict[str, list[tuple[int, int, int]]](list)
    for domain, article, *turned in connection.execute(statement):
        if not sites.is_peer(article):
            by_domain[domain].append((turned[0], turned[1], turned[2]))
    found = [
        TurnedPublisher(
            domain,
            links=sum(number for number, _, _ in turned),
            articles=len(turned),
            first_at=to_datetime(min(first_ms for _, first_ms, _ in turned)),
            last_at=to_datetime(max(last_ms for _, _, last_ms in turned)),
        )
        for domain, turned in by_domain.items()
    ]
    enough = [publisher for publisher in found if publisher.links >= LINKS_MIN]
    return sorted(enough, key=lambda publisher: (-publisher.links, publisher.domain))[:PUBLISHERS_MAX]
