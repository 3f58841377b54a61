"""Suggests a command in place of one that does not exist."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Final

Verbs = Mapping[str, Sequence[str]]
"""The verbs of each noun; none of a command that is one word."""

_COMMAND_OF: Final = {
    # What commands were called before they were nouns and verbs.
    "article": "articles",
    "authority": "publications list",
    "fit": "model fit",
    "import": "links import",
    # What other programs call it.
    "add": "articles add",
    "alerts": "articles list --state silent",
    "check": "doctor",
    "config": "policy show",
    "delete": "articles remove",
    "forget": "articles remove",
    "health": "doctor",
    "help": "--help",
    "init": "up",
    "list": "articles list",
    "ls": "articles list",
    "move": "sites move",
    "rebuild": "state rebuild",
    "register": "articles add",
    "remove": "articles remove",
    "rename": "sites move",
    "repartition": "topics repartition",
    "replay": "backtest",
    "rm": "articles remove",
    "run": "up",
    "serve": "up",
    "server": "ingest",
    "setup": "up",
    "show": "articles show",
    "start": "up",
    "status": "doctor",
    "test": "doctor --send-test-alert",
    "undo": "sites undo",
    "version": "--version",
    "why": "explain",
}
_SAME_NOUNS: Final = {
    "backlinks": "links",
    "cohort": "cohorts",
    "domains": "publications",
    "link": "links",
    "models": "model",
    "pages": "articles",
    "policies": "policy",
    "posts": "articles",
    "referrers": "publications",
    "series": "groups",
    "urls": "articles",
    "visitors": "visits",
}
_SAME_VERBS: Final = {
    "delete": "remove",
    "forget": "remove",
    "get": "show",
    "info": "show",
    "init": "create",
    "lint": "check",
    "load": "import",
    "ls": "list",
    "new": "add",
    "print": "show",
    "register": "add",
    "rename": "move",
    "restore": "back",
    "rm": "remove",
    "rollback": "back",
    "status": "show",
    "train": "fit",
    "update": "alter",
    "upload": "import",
    "validate": "check",
    "verify": "check",
}
_ALIKE: Final = 0.6


def suggested_command(words: Sequence[str], verbs: Verbs) -> str | None:
    """Return the command to suggest in place of ``words``, without `flatline`; None if it can't be guessed.

    A word may be an option (``--check``), as verbs once were some.
    """
    first, second, *_ = [word.lstrip("-").lower() for word in words] + ["", ""]
    noun = _noun(first, verbs)
    if noun and verbs[noun] and (verb := _verb(second, verbs[noun])):
        return f"{noun} {verb}"
    # The other way round: `list articles`.
    if (other := _noun(second, verbs)) and (verb := _verb(first, verbs[other])):
        return f"{other} {verb}"
    if first in _COMMAND_OF:
        return _COMMAND_OF[first]
    if noun is None and (close := get_close_matches(first, _COMMAND_OF, n=1, cutoff=0.8)):
        return _COMMAND_OF[close[0]]
    return noun


def suggestion(words: Sequence[str], verbs: Verbs) -> str:
    """Return a sentence that suggests what to type in place of ``words``."""
    guess = suggested_command(words, verbs)
    if guess is None:
        return "`flatline --help` lists the commands."
    if verbs.get(guess):  # a noun alone says nothing yet
        *others, last = [f"`flatline {guess} {verb}`" for verb in verbs[guess]]
        return f"Did you mean {', '.join(others)}{' or ' if others else ''}{last}?"
    return f"Did you mean `flatline {guess}`?"


def _noun(word: str, verbs: Verbs) -> str | None:
    return _closest(_SAME_NOUNS.get(word, word), verbs)


def _verb(word: str, verbs: Sequence[str]) -> str | None:
    return _closest(_SAME_VERBS.get(word, word), verbs) if word else None


def _closest(word: str, known: Iterable[str]) -> str | None:
    known = list(known)
    return word if word in known else next(iter(get_close_matches(word, known, n=1, cutoff=_ALIKE)), None)
