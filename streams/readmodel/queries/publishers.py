"""Publishers: the referring domains of links to all articles."""

from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta, Struct
from sqlalchemy import Connection, func, select

from flatline.domain.events.look_changes import LookChangeKind
from flatline.domain.state import link
from flatline.domain.time import DAY_MS, to_datetime
from flatline.readmodel.tables import link_changes, links

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
    """Return the publishers that had LINKS_MIN links or more turn nofollow lately, those with most links first."""
    number = func.count(links.c.id.distinct())
    statement = (
        select(
            links.c.domain,
            number,
            func.count(links.c.article_id.distinct()),
            func.min(link_changes.c.at_ms),
            func.max(link_changes.c.at_ms),
        )
        .join(links, links.c.id == link_changes.c.link_id)
        .where(link_changes.c.change == LookChangeKind.NOFOLLOW.value)
        .where(link_changes.c.at_ms > now_ms - TURNED_WITHIN_DAYS * DAY_MS)
        .where(links.c.is_shown, links.c.is_live, links.c.flags.bitwise_and(link.NOFOLLOW) != 0)
        .group_by(links.c.domain)
        .having(number >= LINKS_MIN)
        .order_by(number.desc(), links.c.domain)
        .limit(PUBLISHERS_MAX)
    )
    return [
        TurnedPublisher(domain, turned, articles, to_datetime(first_ms), to_datetime(last_ms))
        for domain, turned, articles, first_ms, last_ms in connection.execute(statement)
    ]
