"""Figures in sentences."""


def count(number: int, noun: str) -> str:
    """Return a number with its noun: "1 day", "1,200 links"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
