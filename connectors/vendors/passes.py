"""How an index is read: target by target, by its links and its losses, and whether a page is one that came before."""

from collections.abc import Iterable, Sequence
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


def turn_after(turn: str, turns: Iterable[str]) -> str | None:
    """Return the pass, or the target, whose turn follows; None: it is the last."""
    ordered = [*turns]
    return next(iter(ordered[ordered.index(turn) + 1 :]), None)


def without_www(target: str) -> str:
    """Return a domain without ``www.``, with which vendors take it for a subdomain; an address as it is."""
    return target if "://" in target else target.removeprefix("www.")


def page_digest(rows: Sequence[Any]) -> str:
    """Return what is equal for pages with equal rows; empty for fewer than two: a row alone may come twice."""
    return xxhash.xxh3_64_hexdigest(msgspec.json.encode(rows)) if len(rows) > 1 else ""
