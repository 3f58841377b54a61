"""What an article lost lately, against a count with plain sets; and in words."""

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.state import article as article_module
from flatline.domain.state.article import Article, Header, LinkObservation
from flatline.domain.state.link import ORGANIC, lost_reason_code
from flatline.domain.state.losses import FEW, WINDOW_DAYS, Losses, losses_of
from flatline.domain.state.segment import Segment
from flatline.domain.time import DAY_MS

NOW_MS = 20_000 * DAY_MS

# page, gained or lost, days ago, the reason of a loss
reasons = st.sampled_from([None, "removed", "page_gone", "retracted"])
events = st.lists(st.tuples(st.integers(0, 30), st.booleans(), st.integers(0, 40), reasons), max_size=150)


@pytest.fixture(autouse=True, scope="module")
def small_segments() -> Iterator[None]:
    """Make segments so small that a few events fill and split them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(article_module, "SEGMENT_LINKS_MAX", 4)
        yield


@given(events)
def test_losses_agree_with_sets(history: list[tuple[int, bool, int, str | None]]) -> None:
    """Links that were gained once, whose newest change is a loss of the last two weeks; four pages a domain."""
    article = Article(b"key", Header(0), Segment())
    for page, gained, ago, reason in history:
        fingerprint = (page * 0x9E3779B97F4A7C15 % (1 << 64)).to_bytes(8, "big")
        domain = (page // 4 + 1).to_bytes(6, "big")
        observation = LinkObservation(
            article.key,
            fingerprint,
            domain,
            gained,
            NOW_MS - ago * DAY_MS,
            ORGANIC,
            lost_reason=0 if gained else lost_reason_code(reason),
        )
        article.apply([observation], Counter())
    article = Article.decode(b"key", article.encode(), dict(article.encode_further(only_changed=False)))
    newest: dict[int, tuple[int, bool]] = {}
    for page, gained, ago, _ in history:
        newest[page] = max(newest.get(page, (-99, False)), (-ago, gained))
    known = {page for page, gained, *_ in history if gained}
    lost = {page: -at for page, (at, live) in newest.items() if page in known and not live and -at <= WINDOW_DAYS}
    live = {page for page, (_, is_live) in newest.items() if is_live}
    found = losses_of(article.segments, live=article.totals.live, now_ms=NOW_MS)
    if len(lost) < FEW:
        assert found is None
        return
    assert found is not None
    by_domain = Counter(page // 4 for page in lost)
    assert (found.lost, found.live_before, found.domains) == (len(lost), len(live) + len(lost), len(by_domain))
    assert found.most_of_a_domain == max(by_domain.values())
    worst = {domain for domain, count in by_domain.items() if count == found.most_of_a_domain}
    assert found.of_that_domain in {sum(page // 4 == each for page in {*live, *lost}) for each in worst}
    said = [
        max((each for page, _, ago, each in history if page == link and ago == at), key=lost_reason_code)
        for link, at in lost.items()
    ]
    assert found.lost_reasons == {reason: number for reason, number in Counter(said).items() if reason}
    assert list(found.lost_reasons.values()) == sorted(found.lost_reasons.values(), reverse=True)
    assert found.most_in_a_day == max(Counter(lost.values()).values())
    assert (found.first_ms, found.last_ms) == tuple(
        NOW_MS - ago * DAY_MS for ago in (max(lost.values()), min(lost.values()))
    )


@pytest.mark.parametrize(
    ("losses", "reason"),
    [
        (
            Losses(40, 141, 1, 40, 40, 40, NOW_MS, NOW_MS),
            (
                "on 2024-10-04. All were on one site, and none of its known links is left: it "
                "was probably taken down or rebuilt."
            ),
        ),
        (
            Losses(40, 141, 3, 38, 39, 20, NOW_MS - 3 * DAY_MS, NOW_MS),
            (
                "from 2024-10-01 to 2024-10-04. Nearly all were on one site, which keeps 1 other: "
                "it probably removed or changed some pages."
            ),
        ),
        (
            Losses(40, 141, 38, 2, 9, 39, NOW_MS, NOW_MS),
            (
                "on 2024-10-04. They were on 38 sites and disappeared on one day: check your own page "
                "first, it may have moved."
            ),
        ),
        (
            Losses(40, 141, 38, 2, 9, 9, NOW_MS - 9 * DAY_MS, NOW_MS),
            (
                "from 2024-09-25 to 2024-10-04. They were on 38 sites and disappeared over several days: "
                "no single cause stands out."
            ),
        ),
        (
            Losses(40, 141, 1, 40, 40, 40, NOW_MS, NOW_MS, {"domain_gone": 40}),
            (
                "on 2024-10-04. Reason reported for all of them: the whole site is gone. All were on one site, "
                "and none of its known links is left: it was probably taken down or rebuilt."
            ),
        ),
    ],
)
def test_reasons(losses: Losses, reason: str) -> None:
    """They say how many, when, and where to look; and that it may be more, where not all are reported."""
    assert losses.reason(is_floor=False) == f"40 of 141 links were lost {reason}"
    assert losses.reason(is_floor=True) == f"At least 40 of at least 141 links were lost {reason}"
