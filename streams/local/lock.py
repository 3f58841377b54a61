import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flatline.local.errors import LaunchError


@contextmanager
def sole_use_of(folder: Path) -> Iterator[None]:
    """Make the folder, and keep others out of it until the end of the body. Raises LaunchError when it is in use."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise LaunchError(
                f"{folder} is in use by process {lock.read().strip()}.",
                remedy="Stop that one, or choose another folder with --data-dir.",
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
