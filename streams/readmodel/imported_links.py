"""Links of imports that were recognised after their events came: they are no signs of life."""

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, select, tuple_

from flatline.domain.imports.imports import Imports
from flatline.domain.state import link
from flatline.readmodel.address_rows import chunks
from flatline.readmodel.other_rows import apply_compacted
from flatline.readmodel.queries.moves import receive_all, stored_records
from flatline.readmodel.records import Record
from flatline.readmodel.tables import link_sources, links

IMPORTS = "imports"
"""Of `compacted`."""


def stored_imports(connection: Connection) -> Imports:
    """Return the imports that are known."""
    imports = Imports()
    receive_all(imports.receive_record, stored_records(connection, IMPORTS))
    return imports


def receive_imports(connection: Connection, imports: Imports, records: Collection[Record]) -> set[int]:
    """Take records of imports; return the instants at which links count in another way now."""
    known = len(imports.log)
    apply_compacted(connection, IMPORTS, records)
    receive_all(imports.receive_record, ((record.key or b"", record.value) for record in records))
    return {at_ms for _, at_ms in imports.log[known:]}


def show_imported(connection: Connection, imports: Imports, instants: Iterable[int]) -> None:
    """Write which of the links that were first gained at some instants are signs of life."""
    moments = imports.moments_at(frozenset(instants))
    for concerned in chunks(sorted(moments)):
        at_once = links.c.first_gained_ms.in_(concerned)
        connection.execute(
            links.update().where(at_once).values(is_organic=links.c.flags.bitwise_and(link.ORGANIC) != 0)
        )
    for at_ms, sources in moments.items():
        if sources:
            # Of the rows of a link, one for each address that it leads to, that which came first has the source.
            brought = (
                select(links.c.article_id, links.c.page)
                .join(link_sources, link_sources.c.link_id == links.c.id)
                .where(links.c.first_gained_ms == at_ms)
                .where(link_sources.c.first_seen_ms == at_ms, link_sources.c.source.in_(sources))
            )
            same = tuple_(links.c.article_id, links.c.page).in_(brought)
            connection.execute(links.update().where(links.c.first_gained_ms == at_ms, same).values(is_organic=False))
