"""The link days of articles, as `domain.state.rhythm` counts them."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from flatline.domain.time import DAY_MS
from flatline.readmodel.tables import articles, links


class ArticleLinkDays(NamedTuple):
    """An article and its link days, in order: UTC days since 1970-01-01."""

    key: str
    title: str | None
    tier: int | None
    days: Sequence[int]


def link_days_of_articles(connection: Connection, *, links_min: int, until_day: int) -> list[ArticleLinkDays]:
    """Return the link days up to ``until_day`` of all articles that have at least so many links."""
    day = (links.c.first_gained_ms // DAY_MS).label("day")
    chosen = (
        select(articles.c.id, day)
        .distinct()
        .join_from(articles, links, links.c.article_id == articles.c.id)
        .where(articles.c.is_there, articles.c.gained >= links_min, links.c.is_shown, links.c.is_organic)
        .where(links.c.first_gained_ms < (until_day + 1) * DAY_MS)
        .order_by(articles.c.id, day)
    )
    by_article: dict[int, list[int]] = {}
    for number, each in connection.execute(chosen):
        by_article.setdefault(number, []).append(int(each))
    named = select(articles.c.id, articles.c.key, articles.c.title, articles.c.tier).where(
        articles.c.is_there, articles.c.gained >= links_min
    )
    return [
        ArticleLinkDays(key, title, tier, by_article[number])
        for number, key, title, tier in connection.execute(named)
        if number in by_article
    ]
