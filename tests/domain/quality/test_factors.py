"""The quality of a link: each sign, its documented figure, and what may never happen."""

from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.events.pages import DECLARED, GUESSED, READINGS, PageKind, Reading
from flatline.domain.learned.domain_reputation import DomainReputation
from flatline.domain.quality.factors import FACTORS, FLAGS, NEUTRAL, Facts, quality_of
from flatline.domain.state import link, link_traits
from tests.domain.quality.documented import rows

SIGNS = rows("Signs")


def _page(kind: PageKind, confidence: float) -> int:
    return link_traits.reading(READINGS.index(Reading(kind, confidence)))


FACTS = {
    "tool: spam": Facts(link.SPAM),
    "kind: not editorial": Facts(link.NOT_EDITORIAL),
    "rel: sponsored": Facts(link.SPONSORED),
    "rel: ugc": Facts(link.UGC),
    "rel: nofollow": Facts(link.NOFOLLOW),
    **{f"placement: {each}": Facts(traits=link_traits.placement(each)) for each in link_traits.PLACEMENTS if each},
    "anchor: stuffed": Facts(link.STUFFED_ANCHOR),
    "anchor: on many domains": Facts(anchor_domains=14),
    "anchor: generic": Facts(link.GENERIC_ANCHOR),
    "text: around it": Facts(link.IN_PROSE),
    "text: none around it": Facts(link.BARE),
    **{f"page: {kind}": Facts(traits=_page(kind, DECLARED)) for kind in PageKind if kind is not PageKind.UNKNOWN},
    "domain: loyal": Facts(reputation=DomainReputation.LOYAL),
    "domain: fickle": Facts(reputation=DomainReputation.FICKLE),
    "domain: sitewide": Facts(is_sitewide=True),
}

flags = st.integers(0, FLAGS).map(lambda each: each & FLAGS)
seen_traits = st.builds(
    lambda placement, authority, reading: link_traits.joined(
        link_traits.joined(link_traits.reading(reading), link_traits.placement(placement) if placement else 0),
        0 if authority is None else link_traits.authority(authority),
    ),
    st.sampled_from(link_traits.PLACEMENTS),
    st.none() | st.floats(0, 100),
    st.integers(0, len(READINGS) - 1),
)
facts = st.builds(
    Facts, flags, seen_traits, st.integers(0, 2_000), st.booleans(), st.sampled_from(DomainReputation), st.booleans()
)


def test_every_sign_is_documented() -> None:
    """QUALITY.md has each sign once, and no other."""
    assert sorted(name for name, _, _ in SIGNS) == sorted(FACTORS)


@pytest.mark.parametrize(("name", "factor", "why"), SIGNS, ids=[row[0] for row in SIGNS])
def test_each_sign_counts_as_documented(name: str, factor: str, why: str) -> None:
    """A link with one sign has the quality of one of which nothing is known, times the documented factor."""
    if name == "visits: some":
        assert quality_of(Facts(has_visits=True)).quality == NEUTRAL * float(factor)
        return
    explained = quality_of(FACTS[name])
    assert isclose(explained.quality, min(1.0, NEUTRAL * float(factor))), why
    ((said, _, phrase),) = explained.signs
    assert said == name
    assert phrase


@pytest.mark.parametrize(
    ("facts", "quality", "phrases", "why"),
    [
        (Facts(), 0.5, [], "nothing is known"),
        (
            Facts(
                link.IN_PROSE,
                _page(PageKind.INTERVIEW, DECLARED) | link_traits.placement("content") | link_traits.authority(80),
            ),
            1.0,
            ["on an interview", "in the text of the page", "on a domain of authority 80", "with text around it"],
            "an interview with a strong paper could hardly be worth more",
        ),
        (
            Facts(traits=_page(PageKind.INTERVIEW, GUESSED)),
            0.5 * 1.6**0.6,
            ["on what looks like an interview"],
            "a guess counts less than what is declared",
        ),
        (
            Facts(link.NOFOLLOW | link.UGC | link.SPONSORED),
            0.1,
            ["marked as sponsored"],
            "only the worst of rel counts",
        ),
        (
            Facts(link.NOFOLLOW | link.BARE),
            0.315,
            ["nofollow", "with no text around it"],
            "weak signs add up, to little",
        ),
        (Facts(link.BARE | link.IN_PROSE), 0.6, ["with text around it"], "one page had text around it"),
        (Facts(anchor_domains=4), 0.5, [], "four domains may have hit on the same words"),
        (
            Facts(anchor_domains=14),
            0.2,
            ["with the same anchor on 14 domains"],
            "fourteen have not",
        ),
        (
            Facts(traits=link_traits.placement("footer"), has_visits=True),
            0.6,
            ["in a footer", "with visits"],
            "visits beat traits",
        ),
        (
            Facts(traits=link_traits.authority(0)),
            0.35,
            ["on a domain of authority 0"],
            "the vendor says that it is nobody",
        ),
        (
            Facts(traits=link_traits.authority(100)),
            0.7,
            ["on a domain of authority 100"],
            "the vendor says that all link to it",
        ),
    ],
)
def test_signs_together(facts: Facts, quality: float, phrases: list[str], why: str) -> None:
    """Each combination is worth what a person would say, and says why, the strongest sign first."""
    explained = quality_of(facts)
    assert isclose(explained.quality, quality), why
    assert [sign.phrase for sign in explained.signs] == phrases


@given(facts)
def test_quality_is_between_0_and_1(seen: Facts) -> None:
    """Whatever is known of a link."""
    assert 0 <= quality_of(seen).quality <= 1


@given(
    facts,
    st.sampled_from([link.NOFOLLOW, link.UGC, link.SPONSORED, link.STUFFED_ANCHOR, link.GENERIC_ANCHOR, link.BARE]),
)
def test_a_bad_flag_never_raises_it(seen: Facts, flag: int) -> None:
    """One more bad sign leaves a link where it is, or lowers it."""
    assert quality_of(seen._replace(flags=seen.flags | flag)).quality <= quality_of(seen).quality


@given(facts, st.integers(0, 2_000))
def test_what_others_do_never_raises_it(seen: Facts, more: int) -> None:
    """Neither do more domains with the same anchor, nor a repetition over the site, nor lost links."""
    quality = quality_of(seen).quality
    assert quality_of(seen._replace(anchor_domains=seen.anchor_domains + more)).quality <= quality
    assert quality_of(seen._replace(is_sitewide=True)).quality <= quality
    assert quality_of(seen._replace(reputation=DomainReputation.FICKLE)).quality <= quality


@given(facts)
def test_visits_never_lower_it(seen: Facts) -> None:
    """A link that sends people is worth 0.6 at least."""
    visited = quality_of(seen._replace(has_visits=True)).quality
    assert visited >= max(0.6, quality_of(seen._replace(has_visits=False)).quality)


@given(facts, st.integers(0, 99))
def test_more_authority_never_lowers_it(seen: Facts, authority: int) -> None:
    """Of two links alike, the one of the stronger domain is worth as much or more."""
    lower, higher = (
        quality_of(seen._replace(traits=seen.traits & ~link_traits.AUTHORITY | link_traits.authority(each))).quality
        for each in (authority, authority + 1)
    )
    assert lower <= higher
