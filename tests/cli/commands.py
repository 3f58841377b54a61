"""All commands that there are, found by walking the command line."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from typer.main import get_command

from flatline.cli import app


class Found(NamedTuple):
    """A command, and the words that it is called by: ``("articles", "list")``."""

    words: tuple[str, ...]
    command: Any

    @property
    def options(self) -> set[str]:
        """All ways to write its options, ``--help`` included."""
        return {name for each in self.command.params for name in each.opts if name.startswith("-")} | {"--help"}


def all_commands() -> list[Found]:
    """Return every command that does something: a short one, or a noun with its verb."""
    return [found for found in _walk((), get_command(app)) if not hasattr(found.command, "commands")]


def all_nouns() -> list[Found]:
    """Return every word that a verb follows."""
    return [found for found in _walk((), get_command(app)) if found.words and hasattr(found.command, "commands")]


def _walk(words: tuple[str, ...], command: Any) -> Iterator[Found]:
    yield Found(words, command)
    for name, inner in getattr(command, "commands", {}).items():
        yield from _walk((*words, name), inner)
