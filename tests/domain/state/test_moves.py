"""Where an address is now. The rows say why."""

from itertools import permutations

import pytest

from flatline.domain.state.moves import Moves, Rule, key_of, move_of, rule_of
from flatline.domain.time import to_datetime
from flatline.schema.move import Move
from flatline.schema.rejection import Reason, Rejected


def _rule(text: str) -> Rule:
    """Return the rule of "time old new", undone where a minus sign stands before the time."""
    at, old, new = text.split()
    return rule_of(Move(old, new, to_datetime(abs(int(at))), is_undone=at.startswith("-")))


SITE = "1 old.example/* new.example/*"

ROWS = [
    ("nothing moved", [], "https://a.example/", "https://a.example/"),
    ("a site moves with all its pages", [SITE], "https://old.example/a/b?p=1", "https://new.example/a/b?p=1"),
    ("its front page, too", [SITE], "https://old.example/", "https://new.example/"),
    ("a site of a similar name does not", [SITE], "https://old.example.org/a", "https://old.example.org/a"),
    ("nor do its subdomains", [SITE], "https://blog.old.example/a", "https://blog.old.example/a"),
    (
        "a section moves",
        ["1 a.example/blog/* a.example/news/*"],
        "https://a.example/blog/x",
        "https://a.example/news/x",
    ),
    (
        "a section is no part of a word",
        ["1 a.example/b/* a.example/c/*"],
        "https://a.example/bx",
        "https://a.example/bx",
    ),
    ("below itself", ["1 a.example/* a.example/blog/*"], "https://a.example/x", "https://a.example/blog/x"),
    ("what is there stays there", ["1 a.example/* a.example/b/*"], "https://a.example/b/x", "https://a.example/b/x"),
    ("up", ["1 a.example/blog/* a.example/*"], "https://a.example/blog/x", "https://a.example/x"),
    (
        "a chain is followed",
        [SITE, "2 new.example/* third.example/*"],
        "https://old.example/a",
        "https://third.example/a",
    ),
    (
        "a page has its own way",
        [SITE, "0 old.example/a new.example/b"],
        "https://old.example/a",
        "https://new.example/b",
    ),
    ("so has a section", [SITE, "0 old.example/s/* s.example/*"], "https://old.example/s/a", "https://s.example/a"),
    ("the newest of two", [SITE, "2 old.example/* b.example/*"], "https://old.example/a", "https://b.example/a"),
    ("undone", [SITE, "-2 old.example/* new.example/*"], "https://old.example/a", "https://old.example/a"),
    (
        "done again",
        [SITE, "-2 old.example/* new.example/*", "3 old.example/* new.example/*"],
        "https://old.example/a",
        "https://new.example/a",
    ),
    (
        "undone, the one before holds",
        ["0 old.example/* b.example/*", SITE, "-2 old.example/* new.example/*"],
        "https://old.example/a",
        "https://b.example/a",
    ),
    ("there and back", [SITE, "2 new.example/* old.example/*"], "https://old.example/a", "https://old.example/a"),
    (
        "back, seen from there",
        [SITE, "2 new.example/* old.example/*"],
        "https://new.example/a",
        "https://old.example/a",
    ),
    (
        "longer and longer is nowhere",
        ["1 a.example/* b.example/x/*", "2 b.example/* a.example/*"],
        "https://a.example/1",
        "https://a.example/1",
    ),
]


@pytest.mark.parametrize(("why", "rules", "url", "current"), ROWS, ids=[row[0] for row in ROWS])
def test_where_an_address_is(why: str, rules: list[str], url: str, current: str) -> None:
    """In whatever order the moves are received."""
    for order in permutations(map(_rule, rules)):
        assert Moves(order).current(url.encode()).decode() == current, why


@pytest.mark.parametrize(("why", "rules", "url", "current"), ROWS, ids=[row[0] for row in ROWS])
def test_who_is_there_stays_there(why: str, rules: list[str], url: str, current: str) -> None:
    """The address that an article has is its address: nobody is sent on from it."""
    assert Moves(map(_rule, rules)).current(current.encode()).decode() == current, (why, url)


def test_a_record_says_what_the_rule_says() -> None:
    """A rule, written and read, is the same, and its key tells aliases from moves."""
    rule = _rule("-7 http://www.Old.example/* new.example/blog/*")
    assert rule_of(move_of(rule)) == rule
    assert key_of(rule) == b"https://old.example/* https://new.example/blog/*"
    assert key_of(rule._replace(is_alias=True)) == key_of(rule) + b" alias"


@pytest.mark.parametrize("key", [b"", b"\xff", b"https://", b"positions\0", "https://ä.example/".encode()])
def test_what_is_no_article_does_not_move(key: bytes) -> None:
    """Other keys may be asked for, too."""
    moves = Moves([_rule(SITE)])
    assert moves.current(key) == key
    assert not moves.covers(key)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("old.example/*", "new.example/", Reason.INVALID_VALUE),
        ("old.example/a", "http://old.example/a/", Reason.INVALID_VALUE),
        ("old.example", "new.example", Reason.INVALID_URL),
        ("old.example/?p=1/*", "new.example/*", Reason.INVALID_URL),
    ],
)
def test_what_makes_no_move(old: str, new: str, reason: Reason) -> None:
    """It is rejected for a reason of the list."""
    with pytest.raises(Rejected) as rejected:
        rule_of(Move(old, new, to_datetime(1)))
    assert rejected.value.reason is reason
