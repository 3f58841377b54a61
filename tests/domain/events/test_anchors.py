"""Anchors: the documented examples, the rules, and real ones."""

import pytest

from flatline.domain.events import anchors
from flatline.domain.state import link, link_traits
from tests.domain.quality.documented import rows

STUFFED, NATURAL = rows("Anchors made for search engines"), rows("Natural anchors")


@pytest.mark.parametrize(("anchor", "why"), STUFFED)
def test_stuffed(anchor: str, why: str) -> None:
    """The documented examples are flagged for the documented reason."""
    assert anchors.why_stuffed(anchor) == why
    assert anchors.flags_and_traits_of(anchor) & link.STUFFED_ANCHOR


@pytest.mark.parametrize(("anchor", "why"), NATURAL)
def test_natural(anchor: str, why: str) -> None:
    """The documented examples of what people write are not."""
    assert anchors.why_stuffed(anchor) is None, why
    assert not anchors.flags_and_traits_of(anchor) & (link.STUFFED_ANCHOR | link.GENERIC_ANCHOR), why


@pytest.mark.parametrize("anchor", ["here", "Click here", "  read more… ", "»Hier«", "链接", "this article"])
def test_generic(anchor: str) -> None:
    """What any link may be called says nothing, in whatever case and quotes."""
    assert anchors.flags_and_traits_of(anchor) == link.GENERIC_ANCHOR


@pytest.mark.parametrize("anchor", ["", " ", "🌟", "https://example.com/a?b=c", "www.example.com", "example.com/a/b"])
def test_nothing_said(anchor: str) -> None:
    """An image, or an address, is no anchor text."""
    assert anchors.flags_and_traits_of(anchor) == 0


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        ("Why we left", "why-we-left", True),
        ("Why we left", " why  we left!", True),
        ("the writer's guide", "the writers guide", True),
        ("Why we left", "Why he left", False),
        ("why we left", "we left why", False),
    ],
)
def test_fingerprints(one: str, other: str, are_same: bool) -> None:
    """Letters and digits in their order make the fingerprint."""
    assert (anchors.fingerprint(one) == anchors.fingerprint(other)) == are_same


@pytest.mark.parametrize(
    ("anchor", "is_phrase", "why"),
    [
        ("best running shoes", True, "words that somebody wants to be found for"),
        ("Best Running Shoes", False, "could be a title"),
        ("running shoes", False, "two words could be a name"),
    ],
)
def test_phrases(anchor: str, is_phrase: bool, why: str) -> None:
    """Only phrases are looked for on other domains."""
    assert bool(anchors.flags_and_traits_of(anchor) >> link.FLAG_BITS & link_traits.PHRASE) == is_phrase, why


@pytest.mark.parametrize(
    ("anchor", "why"),
    [
        ("why we left the cloud", "the title"),
        ("why we left", "what stands before the name of the site in it"),
        ("left-the-cloud", "its address"),
        ("jo smith", "its author"),
        ("example", "its site"),
        ("blog.example.com", "the host"),
    ],
)
def test_natural_names(anchor: str, why: str) -> None:
    """What anybody may call an article is known from its address, its title and its author."""
    names = anchors.natural(
        "https://blog.example.com/2026/left-the-cloud?x=1",
        "Why we left the cloud",
        "Why we left | Example",
        "Jo Smith",
        None,
    )
    assert anchors.fingerprint(anchor) in names, why
    assert anchors.fingerprint("best running shoes") not in names
