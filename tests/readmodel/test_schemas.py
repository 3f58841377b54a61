"""What PostgreSQL adds: several processes, views, and people who only read."""

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import select

from flatline.readmodel import schemas
from flatline.readmodel.database import AwayError, NotTheWriterError
from flatline.readmodel.read_models import identity_of, mark_complete
from flatline.readmodel.schemas import Schemas, schema_of
from flatline.readmodel.tables import VERSION, meta
from tests.postgres import Postgres
from tests.readmodel.projecting import TOPICS
from tests.waiting import until

IDENTITY = identity_of(TOPICS, b"")


@pytest.fixture
def database(postgres: Postgres) -> str:
    """Return a database of its own."""
    return postgres.new_database()


def _open(postgres: Postgres, database: str) -> Schemas:
    return Schemas(postgres.url(database), "flatline", readers=1, deadline_s=60)


@pytest.fixture
def two(postgres: Postgres, database: str) -> Iterator[tuple[Schemas, Schemas]]:
    """Return what two processes open."""
    both = _open(postgres, database), _open(postgres, database)
    yield both
    for each in both:
        each.close()


def test_one_process_writes_at_a_time(two: tuple[Schemas, Schemas], postgres: Postgres) -> None:
    """Whoever was first, until its connection ends; then the other one; and the first one knows when it comes back."""
    first, second = two
    assert [first.become_writer(), second.become_writer(), first.become_writer()] == [True, False, True]
    made = first.new(IDENTITY, None)
    [seen] = second.opened()
    with pytest.raises(NotTheWriterError), seen.writing():
        pass
    postgres.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
    until("the server has ended the connection", second.become_writer)
    for error in (psycopg.OperationalError, NotTheWriterError):
        with pytest.raises(Exception) as caught, made.writing() as connection:  # noqa: PT011 - of two kinds
            connection.execute(meta.delete())
        assert isinstance(getattr(caught.value, "orig", caught.value), error)
    with seen.reading() as connection:
        assert connection.scalar(select(meta.c.value).where(meta.c.key == "identity")) == str(IDENTITY)


def test_a_server_that_was_away_is_asked_again(postgres: Postgres, database: str) -> None:
    """Readers are told that it is away; when it is back, they and the writer go on."""
    read_models = _open(postgres, database)
    assert read_models.become_writer()
    made = read_models.new(IDENTITY, None)
    postgres.stop()
    for _ in range(2):
        with pytest.raises(AwayError), made.reading():
            pass
    for ask in (read_models.become_writer, read_models.opened):
        with pytest.raises(AwayError):
            ask()
    postgres.start()
    assert read_models.become_writer()
    mark_complete(made)
    with made.reading() as connection:
        assert len(connection.execute(select(meta)).all()) == 3
    read_models.close()


def test_views_show_the_complete_one(
    two: tuple[Schemas, Schemas], postgres: Postgres, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of a later version take their place; what a process of a former version writes still is left alone."""
    older, _ = two
    assert older.become_writer()
    first = older.new(IDENTITY, None)
    older.keep_only(first)
    monkeypatch.setattr(schemas, "VERSION", VERSION + 1)
    newer = _open(postgres, database)
    assert newer.become_writer()
    second = newer.new(IDENTITY, None)
    newer.keep_only(second)
    shown = "SELECT DISTINCT table_schema FROM information_schema.view_table_usage WHERE view_schema = 'flatline'"
    with psycopg.connect(postgres.url(database)) as connection:
        assert connection.execute(shown).fetchall() == [(second.name,)]
    assert _is_there(postgres, database, first.name)
    older.close()

    def is_left() -> bool:
        newer.keep_only(second)
        return not _is_there(postgres, database, first.name)

    until("the server has ended the other one's connection", is_left)
    monkeypatch.setattr(schemas, "VERSION", VERSION)
    until("it may write again", older.become_writer)
    third = older.new(IDENTITY, None)
    older.keep_only(third)
    with psycopg.connect(postgres.url(database)) as connection:
        assert connection.execute(shown).fetchall() == [(second.name,)]
    newer.close()


def _is_there(postgres: Postgres, database: str, schema: str) -> bool:
    with psycopg.connect(postgres.url(database)) as connection:
        found = connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", [schema]).fetchall()
    return bool(found)


def test_somebody_who_only_reads_sees_the_views(postgres: Postgres, database: str) -> None:
    """With the grants of the documentation, given once: whatever read model the views show, and nothing is written."""
    for role in ("flatline", "grafana"):
        postgres.execute(f"DROP ROLE IF EXISTS {role}")
        postgres.execute(f"CREATE ROLE {role} LOGIN")
    postgres.execute(f"ALTER DATABASE {database} OWNER TO flatline")
    for right in ("USAGE ON SCHEMAS", "SELECT ON TABLES"):
        postgres.execute(f"ALTER DEFAULT PRIVILEGES FOR ROLE flatline GRANT {right} TO grafana", database)
    read_models = Schemas(postgres.url(database, "flatline"), "flatline", readers=1, deadline_s=60)
    assert read_models.become_writer()
    for _ in range(2):
        made = read_models.new(IDENTITY, None)
        read_models.keep_only(made)
        with psycopg.connect(postgres.url(database, "grafana"), autocommit=True) as connection:
            assert len(connection.execute("SELECT key FROM flatline.meta").fetchall()) == 2
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("DELETE FROM flatline.meta")
    read_models.close()
    postgres.execute(f"DROP DATABASE {database} WITH (FORCE)")
    for role in ("flatline", "grafana"):
        postgres.execute(f"DROP ROLE {role}")


def test_a_long_namespace_has_a_short_schema() -> None:
    """A name of PostgreSQL has 63 bytes at most; two namespaces never share one."""
    assert schema_of("flatline") == "flatline"
    names = {schema_of("n" * 150 + end) for end in "ab"}
    assert len(names) == 2
    assert max(map(len, names)) <= 40
