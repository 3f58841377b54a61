"""A real PostgreSQL server for tests, on a free port, with data of its own."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Self

import psycopg
import pytest

from flatline.local.ports import LOOPBACK, Ports
from tests.waiting import until

_DEBIAN = Path("/usr/lib/postgresql")


class Postgres:
    """The server. It trusts everybody on this machine."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        # It refuses to run as root.
        self._user = "nobody" if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="flatline-postgres-"))
        self._log = self._folder / "log"
        self.port = Ports(self._folder / "ports.json").claim("postgres")

    def __enter__(self) -> Self:
        """Start it."""
        if self._user is not None:
            shutil.chown(self._folder, self._user)
        data = self._folder / "data"
        initdb = [self._programs / "initdb", "--pgdata", data, "--username=postgres", "--auth=trust", "--no-sync"]
        self._run(*initdb, "--encoding=UTF8", "--locale=C.UTF-8")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it, and delete its data."""
        self.stop()
        shutil.rmtree(self._folder)

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        options = ["-c", f"listen_addresses={LOOPBACK}", "-c", "unix_socket_directories=", "-c", "fsync=off"]
        with self._log.open("wb") as log:
            self._server = subprocess.Popen(
                [self._programs / "postgres", "-D", self._folder / "data", "-p", str(self.port), *options],
                user=self._user,
                cwd=self._folder,
                stderr=log,
            )
        until("PostgreSQL answers", self._answers)

    def stop(self) -> None:
        """Stop the server. It ends all connections."""
        self._server.send_signal(signal.SIGINT)
        self._server.wait()

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        """Return the address of a database."""
        return f"postgresql://{user}@{LOOPBACK}:{self.port}/{database}"

    def new_database(self) -> str:
        """Create an empty database, and return its name."""
        name = f"test_{secrets.token_hex(6)}"
        self.execute(f"CREATE DATABASE {name}")
        return name

    def execute(self, statement: str, database: str = "postgres", user: str = "postgres") -> None:
        """Execute a statement."""
        with psycopg.connect(self.url(database, user), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _answers(self) -> bool:
        assert self._server.poll() is None, self._log.read_text()
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, *command: str | Path) -> None:
        subprocess.run(command, check=True, user=self._user, cwd=self._folder, stdout=subprocess.DEVNULL)


def installed() -> Postgres:
    """Return a server that is not started yet. Skips the test where none is installed."""
    found = shutil.which("postgres")
    programs = [Path(found).resolve().parent] if found else []
    programs += sorted((path.parent for path in _DEBIAN.glob("*/bin/postgres")), reverse=True)
    if not programs:
        pytest.skip("PostgreSQL is not installed; `make test` installs it on Debian")
    return Postgres(programs[0])
