"""What holds of judging whatever the history."""

from collections import Counter
from itertools import pairwise
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from flatline.domain.judgement.evidence import Evidence, evidence_of
from flatline.domain.judgement.judgement import Judgement, judge
from flatline.domain.judgement.verdict import previous_verdict_of, verdict_on
from flatline.domain.learned.expectation import Baseline, expect
from flatline.domain.learned.hazard import Hazard
from flatline.domain.policy.thresholds import Thresholds
from flatline.domain.state.article import Article, Header, LinkObservation
from flatline.domain.state.link import ORGANIC
from flatline.domain.state.previous_verdict import PreviousVerdict
from flatline.domain.state.rhythm import Rhythm
from flatline.domain.state.segment import Segment
from flatline.domain.time import DAY_MS
from flatline.domain.visibility.visibility import ArticleVisibility, SourceDelay, Visibility
from flatline.schema import codec
from flatline.schema.verdict import State

BEGIN = 18_000
SEVERITY = {State.COOLING: 1, State.SILENT: 2, State.DORMANT: 3}
THRESHOLDS, HAZARD = Thresholds(), Hazard()

days = st.lists(st.integers(BEGIN, BEGIN + 1_500), min_size=1, max_size=40, unique=True).map(sorted)
unseen = st.lists(st.tuples(st.integers(1, 200), st.floats(0, 300)), min_size=1, max_size=8)


def judged(known: list[int], day: int, previous: PreviousVerdict | None, *, unseen_days: float = 0.0) -> Judgement:
    """Judge an article with these link days, watched for long, in the evening of a day."""
    counts = [sum(day - each < length for each in known) for length in (7, 365)]
    expectation = expect(
        dict.fromkeys(sorted(known), 1), published_day=None, watched_day=0, now_days=day + 1.0, baseline=Baseline()
    )
    evidence = Evidence(Rhythm.of(known), 0, ArticleVisibility(unseen_days), *counts, expectation=expectation)
    return judge(evidence, previous=previous, now_ms=day * DAY_MS + 80_000_000, thresholds=THRESHOLDS, hazard=HAZARD)


def walk(link_days: list[int], *, until: int) -> list[Judgement]:
    """Judge it each day, from its first link day on."""
    life: list[Judgement] = []
    previous = None
    for day in range(link_days[0], until):
        life.append(judged([each for each in link_days if each <= day], day, previous))
        previous = life[-1].as_previous_verdict()
    return life


def severity(judgement: Judgement) -> int:
    """Return how silent an article looks."""
    return SEVERITY.get(judgement.state, 0)


@given(days, st.integers(1, 900))
def test_never_more_silent_just_after_a_link_than_just_before(link_days: list[int], gap: int) -> None:
    """A link is a sign of life: state and score, on the same day, with and without it."""
    day = link_days[-1] + gap
    previous = walk(link_days[-3:], until=day)[-1].as_previous_verdict() if len(link_days) % 2 else None
    before, after = judged(link_days, day, previous), judged([*link_days, day], day, previous)
    assert severity(after) <= severity(before)
    if before.score is not None and after.score is not None:
        assert after.score <= before.score


@given(days, st.integers(0, 400), st.integers(1, 400))
def test_time_without_links_never_makes_it_look_less_silent(link_days: list[int], gap: int, more: int) -> None:
    """Neither its state nor its score, whether it is judged every day or not."""
    day = link_days[-1] + gap
    first = judged(link_days, day, None)
    later = judged(link_days, day + more, first.as_previous_verdict())
    assert severity(later) >= severity(first)
    assert first.score is None or later.score is None or later.score >= first.score


@given(days, unseen)
def test_a_source_that_turns_out_to_be_gone_takes_nothing_back(
    link_days: list[int], looks: list[tuple[int, float]]
) -> None:
    """Whatever becomes known of what could be seen: without anything new of the links, what was said stays said."""
    day, previous, before = link_days[-1], None, 0
    for gap, unseen_days in looks:
        day += gap
        judgement = judged(link_days, day, previous, unseen_days=min(unseen_days, day - link_days[-1]))
        assert severity(judgement) >= before
        previous, before = judgement.as_previous_verdict(), severity(judgement)


@given(days, st.integers(0, 400), st.floats(0, 400))
def test_what_could_not_be_seen_makes_nothing_worse(link_days: list[int], gap: int, unseen_days: float) -> None:
    """With some of the days unseen it looks at most as silent as with all of them seen, and says so if it matters."""
    day = link_days[-1] + gap
    seen, unseen = judged(link_days, day, None), judged(link_days, day, None, unseen_days=unseen_days)
    assert severity(unseen) <= severity(seen)
    assert unseen.suppressed == (severity(unseen) < severity(seen))
    assert ("The verdict is held back" in unseen.reason) == unseen.suppressed


@given(days, st.integers(0, 600))
def test_judging_is_a_pure_function(link_days: list[int], gap: int) -> None:
    """Asked twice it answers the same, however the days came."""
    shuffled = Random(gap).sample(link_days, len(link_days))
    day = link_days[-1] + gap
    assert judged(link_days, day, None) == judged(link_days, day, None) == judged(shuffled, day, None)


@given(
    st.lists(st.tuples(st.integers(0, 12), st.booleans(), st.integers(0, 300), st.integers(0, 2)), max_size=60),
    st.randoms(),
)
def test_the_order_of_events_changes_nothing(events: list[tuple[int, bool, int, int]], chance: Random) -> None:
    """Within a day or over years, once or twice: the same events give the same evidence, and so the same judgement."""
    now_ms = (BEGIN + 310) * DAY_MS
    shuffled = [*events, *events[::2]]
    chance.shuffle(shuffled)
    found = []
    for history in (events, shuffled):
        article = Article(b"key", Header(0), Segment())
        for page, gained, day, source in history:
            fingerprints = (page + 1).to_bytes(8, "big"), (page // 3).to_bytes(6, "big")
            at_ms = (BEGIN + day) * DAY_MS
            article.apply([LinkObservation(b"key", *fingerprints, gained, at_ms, ORGANIC, f"{source}")], Counter())
        visibility = Visibility(frozenset("012"), {"0": SourceDelay((BEGIN + 290) * DAY_MS, "gone")})
        evidence = evidence_of(article, visibility, now_ms=now_ms)
        found.append((evidence, judge(evidence, previous=None, now_ms=now_ms, thresholds=THRESHOLDS, hazard=HAZARD)))
    assert found[0] == found[1]


@given(days, st.integers(0, 400))
def test_a_published_verdict_says_all_that_the_next_judgement_needs(link_days: list[int], gap: int) -> None:
    """A restored log has verdicts and no state: judged by what they say, an article stands as it would have stood."""
    life = walk(link_days[-4:], until=link_days[-1] + gap + 1)
    for day, judgement in enumerate(life, start=link_days[-4:][0]):
        verdict = verdict_on(Article(b"key", Header(0), Segment()), judgement, horizon_days=180, now_ms=day * DAY_MS)
        read = codec.verdicts.decode(codec.verdicts.encode(verdict))
        assert previous_verdict_of(read) == judgement.as_previous_verdict()


@pytest.mark.long
@given(days)
def test_each_state_lasts(link_days: list[int]) -> None:
    """Judged daily, nothing comes and goes within days, but for what a link, or the lack of it, changes for good."""
    assume(len(link_days) >= THRESHOLDS.link_days_min)
    life = walk(link_days, until=link_days[-1] + 400)
    changes = [number for number in range(1, len(life)) if life[number].state is not life[number - 1].state]
    for begin, end in pairwise(changes):
        state = life[begin].state
        by_link = (link_days[0] + end) in link_days
        worse = severity(life[end]) > severity(life[begin])
        if state in {State.GROWING, State.BURSTING} and not worse:
            assert end - begin >= THRESHOLDS.lively_days_min or life[end].state in {State.BURSTING, State.REVIVED}
        if state in {State.COOLING, State.SILENT} and not worse:
            assert by_link
