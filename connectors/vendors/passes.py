"""How an index is read: target by target, by its links and its losses, and whether a page is one that came before."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec
import xxhash

Wanted = Literal["links", "losses"]


class Pass(NamedTuple):
    """``target``: a domain or an address."""

    wanted: Wanted
    target: str


def passes_over(targets: Iterable[str]) -> dict[str, Pass]:
    """Return the passes of a run in their order, by the name that positions have of them (``links yours.example``)."""
    wanted: tuple[Wanted, ...] = ("links", "losses")
    return {f"{which} {target}": Pass(which, target) for target in sorted({*targets}) for which in wanted}


def pass_after(turn: str, passes: Mapping[str, Pass]) -> str | None:
    """Return the name of the pass that follows one; None: it is the last."""
    turns = [*passes]
    return next(iter(turns[turns.index(turn) + 1 :]), None)


def without_www(target: str) -> str:
    """Return a domain without ``www.``, with which vendors take it for a subdomain; an address as it is."""
    return target if "://" in target else target.removeprefix("www.")


def page_digest(rows: Sequence[Any]) -> str:
    """Return what is equal for pages with equal rows; empty for fewer than two: a row alone may come twice."""
    return xxhash.xxh3_64_hexdigest(msgspec.json.encode(rows)) if len(rows) > 1 else ""
