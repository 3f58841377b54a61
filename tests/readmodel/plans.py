"""How SQLite answers what is asked."""

from typing import Any

from sqlalchemy import Connection, event


def statements_of(connection: Connection) -> list[tuple[str, Any]]:
    """Return a list that gets each statement from now on, with its parameters."""
    asked: list[tuple[str, Any]] = []

    @event.listens_for(connection, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    return asked


def plan_of(connection: Connection, statement: str, parameters: Any) -> list[str]:
    """Return the steps of a statement."""
    return [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
