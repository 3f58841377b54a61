"""The former version of Flatline, from the history of this repository."""

import subprocess
from pathlib import Path
from typing import Final

COMMIT: Final = "c9a4a4f"
_ROOT: Final = Path(__file__).parents[2]
_PROGRAM: Final = """
import sys
from streams.cli import main
sys.argv = ["flatline", "worker"]
main()
"""


class NoHistoryError(Exception):
    """This checkout has no history that reaches back to the former version."""


def former_worker(folder: Path) -> Path:
    """Extract the former version into a folder, and return the program that runs a worker of it. Raises NoHistoryError.

    It runs with the packages that are installed here.
    """
    archive = subprocess.run(
        ["git", "-C", str(_ROOT), "archive", COMMIT, "streams", "connectors", "deploy"],
        capture_output=True,
        check=False,
    )
    if archive.returncode != 0:
        raise NoHistoryError(archive.stderr.decode())
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    program = folder / "former_worker.py"
    program.write_text(_PROGRAM)
    return program
