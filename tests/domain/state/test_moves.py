"""Where an address is now. The rows say why."""

from itertools import permutations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.sites import Sites
from flatline.domain.state.addresses import Addresses
from flatline.domain.state.moves import Moves, Rule, key_of, move_of, rule_of
from flatline.domain.time import to_datetime
from flatline.domain.urls.canonical import canonicalize, without_parameters
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


IGNORED = [
    ("a site's parameter", "https://old.example/a?promo=1", "https://old.example/a"),
    ("in any case, with others, of a subdomain", "https://x.old.example/a?Promo&id=3", "https://x.old.example/a?id=3"),
    ("by how it begins", "https://old.example/a?ab_=1&ab=2&ab_test", "https://old.example/a?ab=2"),
    ("an alias", "https://elder.example/?promo=", "https://elder.example/"),
    ("of another site", "https://new.example/a?promo=1", "https://new.example/a?promo=1"),
    ("only as a name", "https://old.example/promo?id=promo", "https://old.example/promo?id=promo"),
]


def _sites(parameters: list[str]) -> Sites:
    sites = Sites()
    record = {"domain": "old.example", "aliases": ["elder.example"], "ignored_parameters": parameters}
    sites.receive_record(b"old.example", msgspec.json.encode(record))
    return sites


@pytest.mark.parametrize(("why", "url", "current"), IGNORED, ids=[row[0] for row in IGNORED])
def test_what_a_site_ignores_names_no_article(why: str, url: str, current: str) -> None:
    """An address with it leads to that without it, and from there nowhere."""
    moves = Moves(sites=_sites(["promo", "ab_*"]))
    assert moves.current(url.encode()).decode() == current, why
    assert moves.covers(url.encode()) == (url != current)
    assert moves.current(current.encode()).decode() == current
    assert canonicalize(current) == current


def test_a_move_of_the_very_address_counts_more() -> None:
    """What a site ignores leads on from where a move leads, and not away from what somebody moved."""
    sites = _sites(["promo"])
    page = _rule("0 old.example/a?promo=1 new.example/b")
    assert Moves([page], sites=sites).current(b"https://old.example/a?promo=1") == b"https://new.example/b"
    onto = _rule("0 new.example/b old.example/c?promo=1")
    assert Moves([onto], sites=sites).current(b"https://new.example/b") == b"https://old.example/c"
    back = _rule("0 old.example/a old.example/a?promo=1")
    assert Moves([back], sites=sites).current(b"https://old.example/a?promo=1") == b"https://old.example/a"


def test_a_record_that_ignores_other_parameters_is_followed() -> None:
    """By whoever keeps an index of addresses; also when the record is gone, or another one covers the host."""
    keys = [b"https://x.old.example/a?promo=1", b"https://x.old.example/a"]
    sites = _sites(["promo"])
    moves, addresses = Moves(sites=sites), Addresses()
    assert addresses.follow(moves, keys) == set(keys)
    assert addresses.former(keys[1]) == [keys[0]]
    assert not addresses.follow(moves, keys)
    sites.receive_record(b"x.old.example", b'{"domain": "x.old.example"}')
    assert addresses.follow(moves, keys) == set(keys)
    sites.receive_record(b"x.old.example", None)
    assert addresses.follow(moves, keys) == set(keys)
    sites.receive_record(b"old.example", None)
    assert addresses.follow(moves, keys) == set(keys)
    assert addresses.former(keys[1]) == []
    assert addresses.current(keys[0], moves) == keys[0]


@given(st.text(alphabet="ab_=&?%2F*", max_size=12), st.sampled_from(["a", "b*", "ab_*"]))
def test_an_address_without_parameters_is_canonical(query: str, name: str) -> None:
    """What is left has nothing to fold, and leaving out what is not there changes nothing."""
    url = canonicalize(f"https://x.example/p?{query}")
    without = without_parameters(url, [name])
    assert canonicalize(without) == without == without_parameters(without, [name])


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
