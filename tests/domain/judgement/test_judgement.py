"""Verdicts: one rule, one row, and why."""

from datetime import date
from math import ceil, exp, lgamma, log

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from flatline.domain.judgement.evidence import Evidence
from flatline.domain.judgement.judgement import Judgement, judge
from flatline.domain.judgement.states import upper_tail
from flatline.domain.learned.expectation import Expectation, Window
from flatline.domain.learned.hazard import Hazard
from flatline.domain.policy.thresholds import Thresholds
from flatline.domain.state.previous_verdict import PreviousVerdict
from flatline.domain.state.rhythm import Rhythm
from flatline.domain.time import DAY_MS
from flatline.domain.visibility.visibility import FULLY_VISIBLE, ArticleVisibility
from flatline.schema.verdict import State


class OneADay(Hazard):
    """A plain hazard: each day without a link adds a four-hundredth. What is said of it does not hang on a model."""

    def __init__(self) -> None:
        """Need no model."""
        self.horizon_days = 180

    def score(self, rhythm: Rhythm, day: int) -> float:
        """Return the gap in units of 400 days, at most 0.99."""
        return min(0.99, (day - rhythm.last_day) / 400)

    def probability(self, rhythm: Rhythm, day: int) -> float:
        """Return something else, as the two are not the same."""
        return (1 + self.score(rhythm, day)) / 2

    def first_day_at(self, rhythm: Rhythm, score: float, *, until_day: int) -> int:
        """Return its inverse."""
        return min(until_day, rhythm.last_day + ceil(400 * score))


THRESHOLDS = Thresholds(cooling_score=0.4, silent_score=0.7)
ONE_A_DAY = OneADay()
TODAY = date(2026, 6, 1).toordinal() - date(1970, 1, 1).toordinal()
LONG_AGO = TODAY - 2_000

link_days = st.lists(st.integers(LONG_AGO, TODAY), min_size=1, max_size=60, unique=True)


def _judge(
    ages: list[int],
    *,
    watched_age: int = 1_000,
    previous: State | None = None,
    previous_age: int = 30,
    told_since: int = 0,
    visibility: ArticleVisibility = FULLY_VISIBLE,
) -> Judgement:
    """Judge an article with link days of these ages, in days; the newest ``told_since`` came after the last verdict."""
    previous_verdict = None
    if previous is not None:
        known = sum(age >= previous_age for age in ages) - told_since
        previous_verdict = PreviousVerdict(previous, (TODAY - previous_age) * DAY_MS, 0, link_days=known)
    return judge(
        Evidence(Rhythm.of(TODAY - age for age in ages), (TODAY - watched_age) * DAY_MS, visibility),
        previous=previous_verdict,
        now_ms=TODAY * DAY_MS + 1,
        thresholds=THRESHOLDS,
        hazard=ONE_A_DAY,
    )


def every(days: int, *, since: int, until: int = 0) -> list[int]:
    """Ages of link days at regular gaps."""
    return list(range(until, since + 1, days))


@pytest.mark.parametrize(
    ("ages", "options", "state", "why"),
    [
        ([], {}, State.NEW, "nothing is known"),
        ([3, 9, 12], {}, State.NEW, "three link days are too little to judge"),
        ([400, 500], {}, State.DORMANT, "too little to judge, and quiet for over a year: no news"),
        (every(10, since=900), {}, State.STEADY, "gains a link every ten days"),
        (
            [*every(60, since=900), *every(3, since=40, until=1)],
            {},
            State.GROWING,
            "used to gain one in sixty days, now in three",
        ),
        (every(20, since=360, until=200), {}, State.COOLING, "a gap of 200 days where twenty were usual"),
        (every(20, since=460, until=300), {}, State.SILENT, "the same gap, longer: it has stopped"),
        (
            [300, 800, 1_300, 1_800, 2_300],
            {"watched_age": 2_400},
            State.STEADY,
            "a link every 500 days: 300 days without one are usual for it",
        ),
        (
            [1_050, 1_550, 2_050, 2_550, 3_050],
            {"watched_age": 3_100, "previous": State.COOLING},
            State.SILENT,
            "a thousand are not",
        ),
        (every(20, since=360, until=140), {}, State.STEADY, "a gap of 140 days, a chance of 35 %"),
        (
            every(20, since=360, until=140),
            {"previous": State.COOLING, "previous_age": 5},
            State.COOLING,
            "the same, but the doubt was said: it is taken back at 30 %",
        ),
        (
            every(20, since=460, until=300),
            {"previous": State.NEW, "previous_age": 310},
            State.DORMANT,
            "it was never seen alive: the history was told after the fact",
        ),
        (
            [*every(20, since=600, until=460), 40],
            {"previous": State.SILENT, "previous_age": 30, "told_since": 1},
            State.STEADY,
            "the link is from before the silence was said: a mistake is taken back",
        ),
        (every(20, since=1500, until=1200), {}, State.DORMANT, "silent for so long that it is no news"),
        (every(20, since=460, until=300), {"watched_age": 10}, State.DORMANT, "was silent before we watched"),
        (
            [*every(20, since=600, until=460), 9, 2],
            {"previous": State.SILENT},
            State.REVIVED,
            "links on two days after silence was said",
        ),
        (
            [*every(20, since=600, until=460), 2],
            {"previous": State.SILENT},
            State.STEADY,
            "one link after silence was said: most stay alone",
        ),
        (
            [*every(20, since=900, until=760), 300, 2],
            {"previous": State.SILENT, "previous_age": 500},
            State.STEADY,
            "two links after silence was said, each alone for longer than the horizon",
        ),
        (
            [*every(20, since=600, until=460), 2],
            {"previous": State.STEADY},
            State.STEADY,
            "the same history, but silence was never said",
        ),
        (
            [*every(20, since=700, until=460), 60],
            {"previous": State.SILENT, "previous_age": 90},
            State.STEADY,
            "the link after silence is no news any more: a back-fill revives nothing",
        ),
        (
            [*every(20, since=600, until=460), 9, 2],
            {"previous": State.DORMANT, "watched_age": 3},
            State.STEADY,
            "the first link after silence came before we watched",
        ),
        (
            [*every(20, since=600, until=460), 20],
            {"previous": State.REVIVED, "previous_age": 20},
            State.REVIVED,
            "revived stays news for some weeks",
        ),
        (
            [*every(20, since=600, until=460), 35],
            {"previous": State.REVIVED, "previous_age": 35},
            State.STEADY,
            "and then no longer",
        ),
    ],
)
def test_states(ages: list[int], options: dict[str, object], state: State, why: str) -> None:
    """Each history is in the state that an operator would say it is in."""
    assert _judge(ages, **options).state is state, why  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("previous", "unseen_days", "state", "suppressed", "why"),
    [
        (State.STEADY, 300, State.STEADY, True, "can't get worse while nobody looks"),
        (State.COOLING, 100, State.COOLING, True, "nor from bad to worse"),
        (State.COOLING, 300, State.COOLING, True, "what was said already stays said, with no link since"),
        (State.SILENT, 300, State.SILENT, False, "the same"),
        (None, 300, State.STEADY, True, "all that could be seen of it is steady"),
        (None, 100, State.COOLING, True, "200 of its 300 days could be seen: enough for a doubt"),
        (State.STEADY, 20, State.SILENT, False, "280 days could be seen, and that is enough"),
    ],
)
def test_unseen_days_do_not_count(
    previous: State | None, unseen_days: int, state: State, suppressed: bool, why: str
) -> None:
    """Of an article that looks silent only so much is said as the days tell on which it could be seen."""
    visibility = ArticleVisibility(unseen_days, reason="its source x is stale")
    judgement = _judge(every(20, since=460, until=300), previous=previous, visibility=visibility)
    assert (judgement.state, judgement.suppressed) == (state, suppressed), why
    assert ("its source x is stale" in judgement.reason) == suppressed


def test_blindness_does_not_suppress_getting_better() -> None:
    """A link that does arrive counts, stale source or not."""
    ages = [*every(20, since=600, until=460), 9, 2]
    assert _judge(ages, previous=State.SILENT, visibility=ArticleVisibility(2, reason="x")).state is State.REVIVED


def test_one_link_after_a_silence_waits_for_a_second() -> None:
    """The silence is remembered through the verdicts in between, and the second link ends the wait either way."""
    silent = [TODAY - age for age in every(20, since=900, until=760)]
    previous: PreviousVerdict | None = PreviousVerdict(State.SILENT, (TODAY - 500) * DAY_MS, 0, link_days=8)

    def say(day: int, *links: int) -> Judgement:
        nonlocal previous
        rhythm = Rhythm.of([*silent, *(TODAY - age for age in links)])
        found = judge(
            Evidence(rhythm, 0), previous=previous, now_ms=day * DAY_MS, thresholds=THRESHOLDS, hazard=ONE_A_DAY
        )
        previous = found.as_previous_verdict()
        return found

    first = say(TODAY - 90, 90)
    assert first.state is State.STEADY
    assert first.reason.startswith("It gained a link again, the first in 670 days. Most such links stay alone. ")
    assert say(TODAY - 50, 90).quiet_since_ms == (TODAY - 500) * DAY_MS
    second = say(TODAY - 20, 90, 20)
    assert (second.state, second.quiet_since_ms) == (State.REVIVED, 0)
    assert say(TODAY, 90, 20).state is State.REVIVED


def test_since_is_the_day_on_which_silence_was_reached() -> None:
    """An article found silent late is silent since the day on which the score was reached, not since today."""
    ages = every(20, since=460, until=300)
    rhythm = Rhythm.of(TODAY - age for age in ages)
    assert rhythm is not None
    day = _judge(ages, previous=State.COOLING).since_ms // DAY_MS
    assert ONE_A_DAY.score(rhythm, day) >= THRESHOLDS.silent_score > ONE_A_DAY.score(rhythm, day - 1)


def test_since_stays_while_the_state_stays() -> None:
    """Judging again does not move the beginning of a state."""
    assert _judge(every(10, since=900), previous=State.STEADY, previous_age=77).since_ms == (TODAY - 77) * DAY_MS


@pytest.mark.parametrize(
    ("ages", "options", "reason"),
    [
        ([], {}, "No link with its own date is known."),
        (
            [3, 9, 12],
            {},
            "The last link came 3 days ago (2026-05-29). It has gained links on 3 days; 5 are needed for a verdict.",
        ),
        (
            every(10, since=900),
            {},
            (
                "It gains links as it used to. It gained a link today. It has gained links on 91 days, typically "
                "every 10 days."
            ),
        ),
        (
            every(20, since=460, until=300),
            {},
            (
                "It has probably stopped gaining links. No link for 300 days (since 2025-08-05). It has gained links "
                "on 9 days, typically every 20 days. Probability of no link in the next 180 days: 88%."
            ),
        ),
        (
            every(20, since=460, until=300),
            {"visibility": ArticleVisibility(200.0, reason="its source north is stale"), "previous": State.STEADY},
            (
                "It gains links as it used to. The last link came 300 days ago (2025-08-05). It has gained links on 9 "
                "days, typically every 20 days. The verdict is held back because its source north is stale: 200 days "
                "of its silence do not count."
            ),
        ),
        (
            every(20, since=1500, until=1200),
            {},
            "It has gained no link since 2023-02-17.",
        ),
        (
            [*every(20, since=600, until=460), 9, 2],
            {"previous": State.SILENT},
            (
                "It gains links again after a silence. The last link came 2 days ago (2026-05-30). It has gained links "
                "on 10 days, typically every 25 days. Probability of no link in the next 180 days: 50%."
            ),
        ),
    ],
)
def test_reasons(ages: list[int], options: dict[str, object], reason: str) -> None:
    """What is said can be read aloud to somebody who knows nothing of hazards; figures and dates are in it."""
    assert _judge(ages, **options).reason == reason  # type: ignore[arg-type]


def _judge_burst(*, came: int, before: int, late_days: int = 0, together: float = 1.0, **options: object) -> Judgement:
    """Judge an article that gains a link every ten days, and gained ``came`` this week after ``before`` in a year."""
    evidence = Evidence(
        Rhythm.of(TODAY - age for age in every(10, since=900)),
        (TODAY - 1_000) * DAY_MS,
        ArticleVisibility(late_days=late_days),
        gained_last_7_days=came,
        gained_last_365_days=before + came,
        links_a_link_day=together,
    )
    evidence = evidence._replace(**{key: options.pop(key) for key in ("watched_since_ms",) if key in options})  # type: ignore[arg-type]
    previous = None
    if "previous" in options:
        previous = PreviousVerdict(State.BURSTING, (TODAY - int(str(options["previous"]))) * DAY_MS, 0, link_days=91)
    return judge(evidence, previous=previous, now_ms=TODAY * DAY_MS + 1, thresholds=THRESHOLDS, hazard=ONE_A_DAY)


@pytest.mark.parametrize(
    ("options", "state", "why"),
    [
        ({"came": 12, "before": 36}, State.BURSTING, "twelve where one was usual"),
        ({"came": 4, "before": 36}, State.STEADY, "four are luck"),
        ({"came": 60, "before": 3_000}, State.STEADY, "sixty are usual for it"),
        ({"came": 12, "before": 36, "late_days": 100}, State.STEADY, "a source kept them while it was away"),
        ({"came": 12, "before": 36, "together": 6.0}, State.STEADY, "its links come six at a time: that was twice"),
        ({"came": 12, "before": 36, "watched_since_ms": (TODAY - 2) * DAY_MS}, State.STEADY, "before we watched"),
        ({"came": 5, "before": 48, "previous": 20}, State.BURSTING, "a burst ebbs, and is not over by a threshold"),
        ({"came": 1, "before": 51, "previous": 20}, State.STEADY, "it is over"),
        ({"came": 1, "before": 51, "previous": 3}, State.BURSTING, "no burst ends within days of its beginning"),
    ],
)
def test_bursts(options: dict[str, object], state: State, why: str) -> None:
    """So many links in a week as hardly any week brings, and that in truth came in this week."""
    assert _judge_burst(**options).state is state, why  # type: ignore[arg-type]


@given(st.integers(2, 60), st.floats(0.05, 30))
def test_upper_tail_is_a_bound_of_the_poisson_tail(came: int, expected: float) -> None:
    """Never below the sum of the probabilities, and of its order of magnitude."""
    assume(came > expected)
    terms = [exp(-expected + number * log(expected) - lgamma(number + 1)) for number in range(came, came + 200)]
    exact = sum(terms)
    assert exact <= upper_tail(came, expected) * (1 + 1e-9)
    assert upper_tail(came, expected) <= 30 * exact


@given(link_days, st.integers(0, 900), st.sampled_from([None, State.NEW]))
def test_an_import_never_alerts(days: list[int], gap: int, previous: State | None) -> None:
    """Whatever its history, an article whose watch begins now is neither silent nor revived nor bursting."""
    ages = [TODAY - day + gap for day in days]
    state = _judge(ages, watched_age=0, previous=previous).state
    assert state not in {State.SILENT, State.REVIVED, State.BURSTING}


def _short(
    chance: float, gap: int, *, previous: State | None = None, unseen: float = 0.0, watched: int = 900
) -> Judgement:
    """Judge an article that gained 3 links where 11 were expected, with a chance of so few, and none for some days."""
    usual = Window(2.0, 2, 0.6, 0.6)
    evidence = Evidence(
        Rhythm.of(TODAY - age for age in range(gap, 700, 20)),
        (TODAY - watched) * DAY_MS,
        ArticleVisibility(unseen),
        expectation=Expectation((usual, Window(11.2, 3, chance, 1.0), usual), 0.5, 700.0, None, None),
    )
    previous = PreviousVerdict(previous, (TODAY - 30) * DAY_MS, 0) if previous else None
    return judge(evidence, previous=previous, now_ms=TODAY * DAY_MS, thresholds=THRESHOLDS, hazard=ONE_A_DAY)


@pytest.mark.parametrize(
    ("judgement", "state", "why"),
    [
        (_short(0.005, 5), State.COOLING, "so few are no chance, though the gap is none to doubt"),
        (_short(0.02, 5), State.STEADY, "so few may be chance"),
        (_short(0.02, 5, previous=State.COOLING), State.COOLING, "what was said is not taken back for that"),
        (_short(0.06, 5, previous=State.COOLING), State.STEADY, "links came, and so few are quite probable again"),
        (_short(0.005, 0), State.STEADY, "never said just after a link"),
        (_short(0.005, 5, unseen=3), State.STEADY, "nothing is asked of it for days that nobody saw"),
        (_short(0.005, 5, watched=20), State.STEADY, "what was before the watch is no news"),
    ],
)
def test_cooling_by_a_shortfall(judgement: Judgement, state: State, why: str) -> None:
    """Each condition with its reason."""
    assert judgement.state is state, why


def test_a_shortfall_is_told_with_its_figures() -> None:
    """What a marketing person reads; and what was suppressed is said to be."""
    assert _short(0.005, 5).reason.startswith("It gained 3 links in 28 days; 11 were expected. ")
    assert _short(0.005, 5, unseen=3).suppressed
