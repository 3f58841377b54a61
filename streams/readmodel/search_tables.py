"""The search tables while a read model is made: kept up to date with each row, they take a third of the time."""

from sqlalchemy import Connection

from flatline.readmodel.tables import SQLITE_SEARCH

_TRIGGERS = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
_SEARCHED = ("article_search", "link_search")


def stop_following(connection: Connection) -> None:
    """Leave the search tables as they are, whatever is written."""
    for (name,) in connection.exec_driver_sql(_TRIGGERS).all():
        connection.exec_driver_sql(f"DROP TRIGGER {name}")


def make_anew(connection: Connection) -> None:
    """Make the search tables from what is there, and have them follow from now on."""
    for statement in SQLITE_SEARCH:
        connection.exec_driver_sql(statement)
    for table in _SEARCHED:
        connection.exec_driver_sql(f"INSERT INTO {table}({table}) VALUES ('rebuild')")  # noqa: S608 - names of ours
