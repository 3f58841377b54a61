"""The error message for an article that is not known."""

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice
from typing import Final

_SUGGESTED: Final = 3
_COMPARED_MAX: Final = 5_000
_ALIKE_OF_HOST: Final = 0.6
_ALIKE: Final = 0.85


def unknown_article(key: str, known: Iterable[str], where: str) -> str:
    """Return the message: it names similar addresses among those known of the article's host."""
    host = key.split("/", 3)[2]
    known = list(known)
    of_host = [each for each in known if each.split("/", 3)[2] == host]
    cutoff = _ALIKE_OF_HOST if of_host else _ALIKE
    close = get_close_matches(key, islice(of_host or known, _COMPARED_MAX), n=_SUGGESTED, cutoff=cutoff)
    alike = "".join(f"\n  {each}" for each in close)
    if alike:
        return f"No link to {key} was found in {where}. Similar articles are:{alike}"
    todo = (
        "`flatline articles list` shows the known articles; `flatline links import FILE` imports links."
        if where == "Kafka"
        else "Name the files that have its links with --from."
    )
    return f"No link to {key} was found in {where}, nor to a similar address. {todo}"
