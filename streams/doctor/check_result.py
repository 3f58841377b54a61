from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Sign(StrEnum):
    """The result of a check: fine; worth a look, but perhaps intended; wrong."""

    FINE = "fine"
    LOOK = "look"
    WRONG = "wrong"


@dataclass(frozen=True)
class CheckResult:
    """One thing that was checked: its state, and what was found or what to do. It never holds a secret."""

    what: str
    sign: Sign
    says: str

    @classmethod
    def fine(cls, what: str, says: str) -> Self:
        """Nothing needs to be done."""
        return cls(what, Sign.FINE, says)

    @classmethod
    def look(cls, what: str, says: str) -> Self:
        """Not a failure, but worth a look."""
        return cls(what, Sign.LOOK, says)

    @classmethod
    def wrong(cls, what: str, says: str) -> Self:
        """Must be fixed; ``says`` says how."""
        return cls(what, Sign.WRONG, says)


def worst(what: str, *, wrong: Iterable[str] = (), look: Iterable[str] = (), fine: str) -> CheckResult:
    """Return one result: a line for each thing that is wrong, then for each that is worth a look; else ``fine``."""
    wrong, look = list(wrong), list(look)
    if wrong:
        return CheckResult.wrong(what, "\n".join([*wrong, *look]))
    return CheckResult.look(what, "\n".join(look)) if look else CheckResult.fine(what, fine)
