"""The commands that come with installed Python packages. Their folder need not be on the PATH."""

import sysconfig
from pathlib import Path


def script(name: str) -> str:
    """Return the path of a command."""
    return str(Path(sysconfig.get_path("scripts")) / name)


FLATLINE = script("flatline")
