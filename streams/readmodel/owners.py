"""Who is responsible for articles, as the records of their sites say."""

from sqlalchemy import Connection, bindparam, select, update

from flatline.domain.sites import Sites
from flatline.readmodel.tables import articles


def owner_of(sites: Sites, key: str) -> str | None:
    """Return the owner of an article's site; None where nobody is named, or the key is no canonical URL."""
    record = sites.of(key) if key.startswith("https://") else None
    return None if record is None else record.owner


def owners_said(sites: Sites) -> list[tuple[str, list[str], str | None]]:
    """Return all that the owners of articles depend on."""
    return [(record.domain, record.aliases, record.owner) for record in sites]


def write_owners(connection: Connection, sites: Sites) -> None:
    """Write the owners of all articles anew, after the records of sites changed."""
    rows = connection.execute(select(articles.c.id, articles.c.key, articles.c.owner))
    changed = [
        {"article": number, "new_owner": owner}
        for number, key, before in rows
        if (owner := owner_of(sites, key)) != before
    ]
    if changed:
        statement = update(articles).where(articles.c.id == bindparam("article"))
        connection.execute(statement.values(owner=bindparam("new_owner")), changed)
