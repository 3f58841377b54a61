"""Where a read model can be: the same tests for each."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

from flatline.readmodel.database import Database
from flatline.readmodel.files import Files
from flatline.readmodel.read_models import ReadModels
from flatline.readmodel.schemas import Schemas
from flatline.readmodel.tables import metadata
from tests.postgres import Postgres


class Place(ABC):
    """Makes read models, each in a place of its own."""

    @abstractmethod
    def another(self) -> str:
        """Return a place where nothing is yet."""

    @abstractmethod
    def open(self, at: str, *, deadline_s: float = 60, readers: int = 2) -> ReadModels:
        """Open what is there."""

    @contextmanager
    def empty(self) -> Iterator[Database]:
        """Give an empty database for the block."""
        made = self.open(self.another()).add()
        yield made
        made.close()

    @abstractmethod
    def close(self) -> None:
        """Close what is kept open."""


class InFiles(Place):
    """SQLite."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count(1)

    def another(self) -> str:
        """Return a folder."""
        return str(self._folder / str(next(self._numbers)))

    def close(self) -> None:
        """Do nothing."""

    def open(self, at: str, *, deadline_s: float = 60, readers: int = 2) -> ReadModels:
        """Open the files of a folder."""
        return Files(Path(at), readers=readers, deadline_s=deadline_s)


class InPostgres(Place):
    """PostgreSQL: namespaces of one database."""

    def __init__(self, server: Postgres) -> None:
        self.server = server
        self.database = server.new_database()
        self._numbers = count(1)
        self._emptied: Database | None = None
        self._kept = ExitStack()

    @contextmanager
    def empty(self) -> Iterator[Database]:
        """Give always the same one, emptied: to make one takes as long as many tests do."""
        made = self._kept.enter_context(self._open_one()) if self._emptied is None else self._emptied
        self._emptied = made
        with made.writing() as connection:
            for table in metadata.tables.values():
                connection.execute(table.delete())
        yield made

    @contextmanager
    def _open_one(self) -> Iterator[Database]:
        read_models = self.open(self.another())
        made = read_models.add()
        yield made
        made.close()
        read_models.close()

    def close(self) -> None:
        """Close the one that is emptied."""
        self._kept.close()

    def another(self) -> str:
        """Return a namespace."""
        return f"Test-{next(self._numbers)}.a"

    def open(self, at: str, *, deadline_s: float = 60, readers: int = 2) -> ReadModels:
        """Open the schemas of a namespace."""
        return Schemas(self.server.url(self.database), at, readers=readers, deadline_s=deadline_s)
