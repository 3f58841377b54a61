"""Which address an article has now: moves of single addresses and of all that is below one.

The address that an article has is a function of the set of moves. A move is a pair of addresses; of several records of
a pair the newest counts. Of the moves that cover an address the one with the longest old address holds, of those with
the same one the newest. The new address may have moved, too: that is followed to its end. Where moves lead round in a
circle, an article is where the oldest of them begins: whoever moves a site there and back has it where it was.

The query parameters that a site ignores lead from an address with them to that without, as if it had moved: so an
address is on the partition of its canonical form, whoever knows the site's record, and a change of the record reaches
all links at once. A move of the very address counts more.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple, Protocol

from flatline.domain.time import LATEST_MS, to_datetime, to_ms
from flatline.domain.urls.canonical import InvalidUrl, absolute, canonicalize, canonicalize_field, without_parameters
from flatline.schema import codec
from flatline.schema.move import Move
from flatline.schema.rejection import Reason, Rejected

STEPS_MAX: Final = 64
"""Of moves that lead from one address to the next. Beyond that they lead nowhere: each makes the address longer."""

_BELOW: Final = "/*"


class Address(NamedTuple):
    """A canonical URL; without its trailing slash where all that is ``is_below`` it is meant, itself included."""

    url: str
    is_below: bool

    def __str__(self) -> str:
        return self.url + _BELOW * self.is_below

    def covers(self, url: str) -> bool:
        """Whether a canonical URL is this address, or is meant by it."""
        if not self.is_below:
            return url == self.url
        return url.startswith(self.url) and url[len(self.url) : len(self.url) + 1] in ("", "/", "?")


class Rule(NamedTuple):
    """A pair of addresses, and the newest that was decided about it. An alias is of a pair of its own."""

    old: Address
    new: Address
    decided_ms: int
    is_undone: bool = False
    is_alias: bool = False

    def moved(self, url: str) -> str | None:
        """Return the new address of a canonical URL; None where this moves it nowhere."""
        if not self.old.covers(url) or (self.old.is_below and _is_nested(self.new, self.old) and self.new.covers(url)):
            return None  # what lies in the new place already is there
        try:
            return canonicalize(self.new.url + url[len(self.old.url) :])
        except InvalidUrl:  # too long, by the new address
            return None


def _is_nested(inner: Address, outer: Address) -> bool:
    return outer.covers(inner.url)


def address_of(text: str, *, field: str) -> Address:
    """Return the address that a text means: a URL, a host with or without a path; ``/*`` at the end: all below it.

    Raise `Rejected`, naming the field.
    """
    text = absolute(text.strip(), field=field)
    if not text.endswith(_BELOW):
        return Address(canonicalize_field(text, field=field), is_below=False)
    url = canonicalize_field(text.removesuffix("*"), field=field)
    if "?" in url:
        raise Rejected(Reason.INVALID_URL, f"{field}: what is below an address has no query")
    return Address(url.removesuffix("/"), is_below=True)


def rule_of(move: Move) -> Rule:
    """Return the rule of a record. Raise `Rejected` for addresses that make none."""
    old, new = address_of(move.old, field="old"), address_of(move.new, field="new")
    if old.is_below != new.is_below:
        raise Rejected(Reason.INVALID_VALUE, "old and new: either both end in /*, or neither does")
    if old == new:
        raise Rejected(Reason.INVALID_VALUE, "old and new are the same address")
    return Rule(old, new, to_ms(move.decided_at), move.is_undone, move.is_alias)


def move_of(rule: Rule) -> Move:
    """Return the record of a rule."""
    decided_at = to_datetime(rule.decided_ms)
    return Move(str(rule.old), str(rule.new), decided_at, is_alias=rule.is_alias, is_undone=rule.is_undone)


def key_of(rule: Rule) -> bytes:
    """Return the key of a rule's record."""
    return f"{rule.old} {rule.new}{' alias' * rule.is_alias}".encode()


class IgnoredParameters(Protocol):
    """What sites say of query parameters. The version grows with each change; 0: none ever said anything."""

    ignored_parameters_version: int

    def ignored_parameters(self, host: str) -> Sequence[str]:
        """Return the names that `without_parameters` leaves out at a host."""


class Moves:
    """All moves that are known.

    ``log``    the rules as they changed, in that order: whoever knows its first n may look at the others only
    ``sites``  what else leads from one address to another: their addresses with and without what they ignore
    """

    def __init__(self, rules: Iterable[Rule] = (), *, sites: IgnoredParameters | None = None) -> None:
        self._sites = sites
        self._known: defaultdict[Address, dict[tuple[Address, bool], Rule]] = defaultdict(dict)
        self._pages: dict[str, Rule] = {}
        self._below: defaultdict[str, dict[str, Rule]] = defaultdict(dict)  # by host and address
        self.log: list[Rule] = []
        for rule in rules:
            self.add(rule)

    def __iter__(self) -> Iterator[Rule]:
        """Return the newest rule of each pair, undone ones included."""
        return (rule for rules in self._known.values() for rule in rules.values())

    def receive_record(self, _key: bytes, value: bytes | None, _recorded_ms: int = 0) -> None:
        """Take a record of the topic. Raise `Rejected`."""
        if value is not None:
            self.add(rule_of(codec.moves.decode(value)))

    def add(self, rule: Rule) -> None:
        """Take a rule, unless something newer is known of its pair."""
        rules = self._known[rule.old]
        known = rules.get((rule.new, rule.is_alias))
        if known is not None and (rule.decided_ms, rule.is_undone) <= (known.decided_ms, known.is_undone):
            return
        rules[rule.new, rule.is_alias] = rule
        self.log.append(rule)
        places = self._below[_host(rule.old.url)] if rule.old.is_below else self._pages
        holding = [each for each in rules.values() if not each.is_undone]
        if holding:
            places[rule.old.url] = max(holding, key=lambda each: (each.decided_ms, each.new))
        else:
            places.pop(rule.old.url, None)

    @property
    def ignored_parameters_version(self) -> int:
        """That of the sites."""
        return 0 if self._sites is None else self._sites.ignored_parameters_version

    @property
    def is_empty(self) -> bool:
        """Whether no address ever led to another."""
        return not self._known and not self.ignored_parameters_version

    def current(self, key: bytes) -> bytes:
        """Return the key of the article that is at an address now: itself where it did not move, or is no article's."""
        if self.is_empty or not _is_article(key):
            return key
        url = key.decode()
        path: dict[str, Rule] = {}
        at = url
        while (step := self._next(at)) is not None:
            path[at], at = step
            if at in path:
                addresses = list(path)
                circle = addresses[addresses.index(at) :]
                return min(circle, key=lambda each: (path[each].decided_ms, each)).encode()
            if len(path) > STEPS_MAX:
                return key
        return at.encode()

    def covers(self, key: bytes) -> bool:
        """Whether any move that holds begins at an address, even if it leads back to it."""
        return not self.is_empty and _is_article(key) and self._next(key.decode()) is not None

    def _next(self, url: str) -> tuple[Rule, str] | None:
        for rule in self._candidates(url):
            if (moved := rule.moved(url)) is not None and moved != url:
                return rule, moved
        if self._sites is None or "?" not in url:
            return None
        without = without_parameters(url, self._sites.ignored_parameters(_host(url)))
        return None if without == url else (_leaving_out(url, without), without)

    def _candidates(self, url: str) -> Iterator[Rule]:
        """Yield the rules that may cover a URL, that with the longest old address first."""
        page = self._pages.get(url)
        if page is not None:
            yield page
        below = self._below.get(_host(url))
        if below:
            yield from (below[each] for each in sorted(below, key=len, reverse=True))


def _leaving_out(url: str, without: str) -> Rule:
    # The newest: in a circle, an article is where a move that somebody decided begins.
    return Rule(Address(url, is_below=False), Address(without, is_below=False), LATEST_MS)


def _is_article(key: bytes) -> bool:
    return key.startswith(b"https://") and key.isascii()


def _host(url: str) -> str:
    return url.split("/", 3)[2]
