"""Shows foreign text on a terminal without obeying its control characters."""

from rich.text import Text

_CHARACTERS_MAX = 300


def plain(foreign: str, characters_max: int = _CHARACTERS_MAX) -> str:
    """Return a text in one line; what a terminal would not just print comes out as its number.

    That is control characters, and marks that turn the direction of writing.
    """
    shown = escaped(" ".join(foreign.split()))
    return shown if len(shown) <= characters_max else f"{shown[: characters_max - 1]}…"


def escaped(foreign: str) -> str:
    """Return a text with the number of each character in its place that is not just printed, such as a line end."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in foreign)


def text(foreign: str, style: str = "", characters_max: int = _CHARACTERS_MAX) -> Text:
    """Return the same for rich, which takes no markup from it."""
    return Text(plain(foreign, characters_max), style)
