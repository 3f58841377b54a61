"""The meaning of cells: texts, booleans and numbers, as tools and spreadsheets write them."""

import re
from functools import lru_cache
from typing import Final

_NOTHING: Final = frozenset({"", "-", "--", "\u2013", "\u2014", "n/a", "na", "none", "null", "#n/a", "#ref!"})
_YES: Final = frozenset({"true", "yes", "y", "1", "x", "wahr", "vrai", "verdadero"})
_STRING_OF_FORMULA: Final = re.compile(r'"((?:[^"]|"")*)"')
_GROUPED: Final = re.compile(r"\d{1,3}(?:[ ,.\u00a0\u202f']\d{3})+")


def text_of(cell: str) -> str:
    """Return the trimmed text of a cell; for a formula its last string. Formulas are never evaluated."""
    text = cell.strip()
    if text[:1] in {"=", "'"}:
        text = text.removeprefix("'")
        if text.startswith("="):
            strings = _STRING_OF_FORMULA.findall(text)
            return strings[-1].replace('""', '"').strip() if strings else ""
    return "" if len(text) <= 5 and text.lower() in _NOTHING else text  # noqa: PLR2004


def address_of(cell: str) -> str:
    """Return the address in a cell: like `text_of`, but the first string of ``=HYPERLINK("address", "text")``."""
    text = cell.strip()
    if text[:1] in {"=", "'"}:
        strings = _STRING_OF_FORMULA.findall(text)
        return strings[0] if strings else text_of(cell)
    return text


@lru_cache(maxsize=4_096)
def is_yes(cell: str) -> bool:
    """Whether a cell says yes. Empty cells and unknown words do not."""
    return cell.strip().lower() in _YES


def is_set(cell: str) -> bool:
    """Whether a flag is set: unless it is empty, 0 or no. Any other text sets it in Majestic's download."""
    return text_of(cell).lower() not in {"", "0", "no", "false"}


@lru_cache(maxsize=4_096)
def number_of(cell: str) -> float | None:
    """Return a number: 61, 40.5, ``40,5`` or ``1,240``; None for anything else."""
    text = text_of(cell)
    if _GROUPED.fullmatch(text):
        return float(re.sub(r"\D", "", text))
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None


@lru_cache(maxsize=4_096)
def authority_of(cell: str) -> float | None:
    """Return a vendor's score from 0 to 100; None for anything else."""
    score = number_of(cell)
    return score if score is not None and 0 <= score <= 100 else None  # noqa: PLR2004
