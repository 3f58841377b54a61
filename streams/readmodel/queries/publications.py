"""Authority both ways: which publications link to the articles of a group, and where the group links back."""

from collections.abc import Collection
from typing import Annotated, Any, Final, Literal, NamedTuple

from msgspec import Meta, Struct
from sqlalchemy import ColumnElement, Connection, case, func, select

from flatline.domain.urls.fingerprints import referrer
from flatline.readmodel.tables import addresses, articles, links
from flatline.schema.rejection import Rejected

PUBLICATIONS_MAX: Final = 200
Grouping = Literal["series", "strategy", "author", "site"]


class Publication(Struct, frozen=True):
    """A publication, and what it and a group of articles have of each other: links that were ever gained."""

    domain: Annotated[str, Meta(description="Registrable domain; those of the group's own articles are left out")]
    links: Annotated[int, Meta(description="From the publication to articles of the group")]
    live: Annotated[int, Meta(description="Of `links`, those that are there")]
    articles: Annotated[int, Meta(description="Of the group, that it links to")]
    links_back: Annotated[int, Meta(description="From pages of the group to pages of the publication that are known")]
    live_back: Annotated[int, Meta(description="Of `links_back`, those that are there")]


class _Sums(NamedTuple):
    links: int = 0
    live: int = 0
    articles: int = 0


def publications_of(connection: Connection, kind: Grouping, name: str) -> list[Publication]:
    """Return the publications of a group, those with most links first; at most PUBLICATIONS_MAX.

    A link back is known where somebody reports it: its target is a page of another site, such as a peer's.
    """
    of_group = articles.c[kind] == name, articles.c.is_there
    own_sites = set(connection.scalars(select(articles.c.site).where(*of_group).distinct()))
    if not own_sites:
        return []
    given = _given(connection, of_group, own_sites)
    back = _links_back(connection, own_sites, None if kind == "site" else _pages(connection, of_group))
    found = [
        Publication(domain, *given.get(domain, _Sums()), *back.get(domain, _Sums())[:2])
        for domain in given.keys() | back.keys()
    ]
    found.sort(key=lambda each: (-each.links, -each.links_back, each.domain))
    return found[:PUBLICATIONS_MAX]


def _given(
    connection: Connection, of_group: tuple[ColumnElement[bool], ...], own_sites: Collection[str]
) -> dict[str, _Sums]:
    statement = (
        select(links.c.domain, func.count(), _LIVE, func.count(articles.c.id.distinct()))
        .join(articles, articles.c.id == links.c.article_id)
        .where(*of_group, links.c.is_shown, links.c.domain.not_in(own_sites))
        .group_by(links.c.domain)
    )
    return {domain: _Sums(*sums) for domain, *sums in connection.execute(statement)}


def _links_back(connection: Connection, own_sites: Collection[str], pages: set[bytes] | None) -> dict[str, _Sums]:
    """Return the links from these pages, by the site that they lead to. ``pages``: None: all of these sites."""
    statement = (
        select(articles.c.site, links.c.page, func.count(), _LIVE)
        .join(links, links.c.article_id == articles.c.id)
        .where(articles.c.is_there, articles.c.site.not_in(own_sites))
        .where(links.c.is_shown, links.c.domain.in_(own_sites))
        .group_by(articles.c.site, links.c.page)
    )
    sums: dict[str, _Sums] = {}
    for site, page, number, live in connection.execute(statement):
        if pages is None or page in pages:
            before = sums.get(site, _Sums())
            sums[site] = _Sums(before.links + number, before.live + live)
    return sums


def _pages(connection: Connection, of_group: tuple[ColumnElement[bool], ...]) -> set[bytes]:
    """Return the fingerprints of all addresses of a group's articles, as pages that link have them."""
    statement = select(addresses.c.key).join(articles, articles.c.id == addresses.c.article_id).where(*of_group)
    found: set[bytes] = set()
    for key in connection.scalars(statement):
        try:
            found.add(referrer(key)[0])
        except Rejected:
            continue  # a key that is no URL has no page
    return found


_LIVE: Final[Any] = func.sum(case((links.c.is_live, 1), else_=0))
