"""What a run came to, beside that it passed: figures, seeds."""

import sys


def say(line: str) -> None:
    """Say it where `make chaos` shows it at once, and where a test that fails shows it."""
    sys.stdout.write(f"{line}\n")
