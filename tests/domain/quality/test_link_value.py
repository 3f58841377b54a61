"""What links add up to, against a count link by link."""

from math import isclose, log10

from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.events import anchors
from flatline.domain.learned.domain_reputation import DomainReputation
from flatline.domain.quality.link_value import LinkValue, link_value_of
from flatline.domain.state import link, link_traits
from flatline.domain.state.segment import Segment
from flatline.domain.time import DAY_MS
from flatline.domain.urls.fingerprints import fingerprint

DAY = 20_000
FOOTER = link_traits.placement("footer") << link.FLAG_BITS
CONTENT = link_traits.placement("content") << link.FLAG_BITS
PHRASE = anchors.flags_and_traits_of("best running shoes")


def _segment(links: list[tuple[str, int, int]]) -> Segment:
    """Make a segment of links: domain, day, flags and traits."""
    segment = Segment()
    for number, (domain, day, flags_and_traits) in enumerate(links):
        page = number.to_bytes(8, "big")
        segment.apply(page, fingerprint(domain), True, day * DAY_MS + number, link.ORGANIC | flags_and_traits)
    return segment


def _link_value(links: list[tuple[str, int, int]], **options: object) -> LinkValue:
    return link_value_of([_segment(links)], quality_min=0.25, **options)  # type: ignore[arg-type]


def test_nothing() -> None:
    """An article without links is worth nothing, and one of which only a loss is known."""
    segment = Segment()
    segment.apply(bytes(8), bytes(6), False, DAY * DAY_MS, 0)
    assert link_value_of([Segment(), segment], quality_min=0.25) == LinkValue()


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(DAY, DAY + 9), st.sampled_from([0, FOOTER, CONTENT]))))
def test_sums_agree_with_a_plain_count(links: list[tuple[str, int, int]]) -> None:
    """With traits alone, the sums are those of a count over the list."""
    quality = {0: 0.5, FOOTER: 0.1, CONTENT: 0.65}
    link_value = _link_value(links)
    expected = 0.0
    for domain in {each for each, _, _ in links}:
        of_domain = [quality[flags_and_traits] for each, _, flags_and_traits in links if each == domain]
        expected += max(of_domain) * (1 + 0.1 * log10(len(of_domain)))
    matter = sorted(day for _, day, flags_and_traits in links if flags_and_traits != FOOTER)
    assert isclose(link_value.weighted, expected)
    assert link_value.thin == sum(flags_and_traits == FOOTER for _, _, flags_and_traits in links)
    assert link_value.days == {day: matter.count(day) for day in matter}
    assert list(link_value.days) == sorted(link_value.days)
    assert link_value.last_day == max(matter, default=None)
    assert sum(link_value.thin_days.values()) == link_value.thin
    assert {against for _, against in link_value.thin_days} <= {"in a footer"}


def test_a_thousand_links_of_a_domain_are_about_one() -> None:
    """Many links of one site count little more than one of them."""
    one, many = _link_value([("a", DAY, 0)]), _link_value([("a", DAY + number, 0) for number in range(1_000)])
    assert isclose(many.weighted, 1.3 * one.weighted)


def test_imports_make_no_day_that_matters() -> None:
    """As in the totals, dates that are not the link's own are left out of the rhythm; the link counts."""
    segment = Segment()
    segment.apply(bytes(8), bytes(6), True, DAY * DAY_MS, 0)
    link_value = link_value_of([segment], quality_min=0.25)
    assert (link_value.weighted, link_value.days, link_value.last_day) == (0.5, {}, None)


def test_the_same_phrase_on_many_domains() -> None:
    """On five domains it was handed out; on four it may be chance; and the article's own name is natural."""
    links = [(f"site-{number}", DAY + number, PHRASE) for number in range(5)]
    assert _link_value(links).thin == 5
    assert _link_value(links[:4]).thin == 0
    assert _link_value([*links[:4], ("site-1", DAY, PHRASE)]).thin == 0
    assert _link_value(links, natural_anchors=lambda: {anchors.fingerprint("Best running shoes")}).thin == 0
    assert set(_link_value(links).thin_days) == {
        (DAY + number, "with the same anchor on 5 domains") for number in range(5)
    }


def test_a_template_of_a_site() -> None:
    """After ten links of a domain with an anchor within a week, more are thin; not those of a site of many authors."""
    links = [("site", DAY + number // 3, anchors.flags_and_traits_of("Flatline")) for number in range(15)]
    assert _link_value(links).thin == 5
    assert _link_value(links).thin_days == {
        (DAY + 3, "repeated all over one site"): 2,
        (DAY + 4, "repeated all over one site"): 3,
    }
    assert _link_value([("github.com", day, flags_and_traits) for _, day, flags_and_traits in links]).thin == 0
    assert (
        _link_value(
            [("site", DAY + number // 3, anchors.flags_and_traits_of(f"Post {number}")) for number in range(15)]
        ).thin
        == 0
    )
    assert (
        _link_value([("site", DAY + number // 3, 0) for number in range(15)]).thin == 0
    )  # whether they are alike is not known


def test_a_newsletter_is_a_reader() -> None:
    """Whoever links with the same anchor every week, for years, wrote each of these links."""
    weekly = [("site", DAY + 7 * number, anchors.flags_and_traits_of("Flatline")) for number in range(200)]
    assert _link_value(weekly).thin == 0


def test_visits_and_reputation() -> None:
    """A domain's visits save its links; its bad reputation lowers the sum, but makes no link thin."""
    links = [("a", DAY, FOOTER), ("b", DAY, FOOTER), ("c", DAY, link_traits.placement("comment") << link.FLAG_BITS)]
    assert _link_value(links).thin == 3
    assert _link_value(links, visited={fingerprint("a")}).thin == 2
    link_value = _link_value(
        [("a", DAY, 0), ("b", DAY, link.NOFOLLOW)],
        reputation_of=lambda domain: (
            DomainReputation.FICKLE if domain == fingerprint("b") else DomainReputation.UNKNOWN
        ),
    )
    assert (link_value.weighted, link_value.thin) == (0.5 + 0.5 * 0.7 * 0.5, 0)
