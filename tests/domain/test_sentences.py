"""All sentences that people read of an article or a group, for reading aloud: one list, so that a change shows."""

import pytest

from flatline.domain.groups.judgement import judge_group
from flatline.domain.groups.survey import Group, sums_of
from flatline.domain.groups.totals import GroupTotal
from flatline.domain.groups.weekly_links import JOINED_WEEKS, WEEKS, WeeklyLinks, last_whole_week
from flatline.domain.judgement import quality_silence
from flatline.domain.judgement.evidence import Circumstances, Evidence
from flatline.domain.judgement.reasons import held_back, reason_of
from flatline.domain.learned.expectation import Expectation, Window
from flatline.domain.learned.hazard import Hazard
from flatline.domain.learned.profile import profile_of
from flatline.domain.learned.season import Season
from flatline.domain.policy.thresholds import Thresholds
from flatline.domain.quality.link_value import LinkValue
from flatline.domain.state.losses import Losses
from flatline.domain.state.previous_verdict import PreviousVerdict
from flatline.domain.state.rhythm import Rhythm
from flatline.domain.time import DAY_MS
from flatline.domain.visibility.visibility import ArticleVisibility
from flatline.schema.group import GroupKind
from flatline.schema.verdict import State

TODAY = 20_000  # 2024-10-04
USUAL = Window(2.0, 2, 0.6, 0.6)
SHORT = Expectation((USUAL, Window(11.2, 3, 0.001, 1.0), USUAL), 0.5, 700.0, None, None)


def article(
    state: State,
    *ages: int,
    probability: float | None = None,
    came: int = 0,
    is_short: bool = False,
    quiet_age: int | None = None,
    season: Season | None = None,
    score: float | None = None,
) -> str:
    """Return the reason of an article with link days of these ages; ``quiet_age``: of a silence before the last one."""
    rhythm = Rhythm.of(TODAY - age for age in ages)
    evidence = Evidence(rhythm, 0, gained_last_7_days=came, expectation=SHORT if is_short else None, season=season)
    quiet_since_ms = 0 if quiet_age is None else (TODAY - quiet_age) * DAY_MS
    previous = PreviousVerdict(State.STEADY, 0, 0, link_days=5, quiet_since_ms=quiet_since_ms)
    at = Circumstances(
        TODAY, Thresholds(), Hazard(), previous=previous, seen_day=TODAY, probability=probability, score=score
    )
    return reason_of(state, evidence, at)


def unseen(days: float, reason: str | None) -> str:
    """Return what is said of a verdict that is held back."""
    return held_back(Evidence(None, 0, ArticleVisibility(days, reason=reason)))


def lost(**changed: int) -> str:
    """Return the reason of a mass loss."""
    day = TODAY * DAY_MS
    usual = Losses(5, 20, 4, 2, 2, 4, day, day)
    return usual._replace(**changed).reason(is_floor=False)


def thin(number: int) -> str | None:
    """Return the reason of `quality_gone` with so many thin links of late."""
    link_value = LinkValue(
        days=dict.fromkeys(range(TODAY - 900, TODAY - 500, 20), 1),
        thin_days={(TODAY - each, "in a footer"): 1 for each in range(number)},
    )
    all_links = Rhythm.of([*range(TODAY - 900, TODAY - 500, 20), *range(TODAY - 450, TODAY, 7)])
    assert all_links is not None
    return quality_silence.reason(
        link_value,
        all_links,
        today=TODAY,
        watched_since_day=0,
        thresholds=Thresholds(),
        hazard=Hazard(),
        was_found=True,
    )


def group(kind: GroupKind, *, usual: int, lately: int, lately_weeks: int = 8) -> str:
    """Return the reason of a group with so many links a week for three years, and so many in each of the last weeks."""
    gained = [float(lately)] * lately_weeks + [float(usual)] * (WEEKS - lately_weeks)
    sums = sums_of(
        articles=20,
        all_gained=[gained[0], sum(gained[:4]), sum(gained[:13])],
        weekly=WeeklyLinks(gained, [0.0] * JOINED_WEEKS),
        unseen_links=0.0,
        unseen_link_days=0.0,
    )
    return judge_group(
        Group(kind, "Field notes"),
        GroupTotal(sums, {}, last_whole_week(TODAY * DAY_MS)),
        previous=None,
        now_ms=TODAY * DAY_MS,
        thresholds=Thresholds(),
        unseen_reason=None,
    ).reason


def life(*ages: int, published_age: int | None = None) -> str:
    """Return how an article with links of these ages lives, in words."""
    days = {TODAY - age: 1 for age in sorted(ages, reverse=True)}
    profile = profile_of(days, published_day=None if published_age is None else TODAY - published_age, today=TODAY)
    assert profile is not None
    return profile.reason


def facts(gap_days: int) -> set[str]:
    """Return what moves the probability of a monthly gainer after a pause, without the part on a typical article."""
    rhythm = Rhythm.of(range(TODAY - 600, TODAY + 1, 30))
    assert rhythm is not None
    return {each.fact.split(" (a typical")[0] for each in Hazard().influences(rhythm, TODAY + gap_days)}


SENTENCES = [
    (article(State.NEW), "No link with its own date is known."),
    (
        article(State.NEW, 1),
        "The last link came 1 day ago (2024-10-03). It has gained links on 1 day; 5 are needed for a verdict.",
    ),
    (
        article(State.STEADY, 0, 10, 20, 30, 40, probability=0.2),
        "It gains links as it used to. It gained a link today. It has gained links on 5 days, typically every 10 days.",
    ),
    (
        article(State.STEADY, 0, 410, 430, 450, 470, probability=0.6, quiet_age=200),
        (
            "It gained a link again, the first in 410 days. Most such links stay alone. It gained a link today. It has "
            "gained links on 5 days, typically every 43 days."
        ),
    ),
    (
        article(
            State.STEADY, 90, 100, 110, 120, 130, probability=0.6, season=Season(TODAY + 130, TODAY + 160), score=0.7
        ),
        (
            "It pauses as every year, and links are expected again in February 2025. The last link came 90 days "
            "ago (2024-07-06). It has gained links on 5 days, typically every 10 days."
        ),
    ),
    (
        article(State.REVIVED, 2, 9, 430, 450, 470, probability=0.5),
        (
            "It gains links again after a silence. The last link came 2 days ago (2024-10-02). It has gained links on "
            "5 days, typically every 33 days. Probability of no link in the next 180 days: 50%."
        ),
    ),
    (
        article(State.GROWING, 3, 4, 5, 6, 107, probability=0.2),
        (
            "It gains links faster than it used to. The last link came 3 days ago (2024-10-01). It has gained links on "
            "5 days, typically every 3.2 days."
        ),
    ),
    (
        article(State.BURSTING, 0, 1, 2, 3, 4, probability=0.1, came=12),
        (
            "It gained 12 links in a week, far more than usual. It gained a link today. It has gained links on 5 days, "
            "typically every day."
        ),
    ),
    (
        article(State.COOLING, 90, 100, 110, 120, 130, probability=0.61),
        (
            "It may have stopped gaining links. No link for 90 days (since 2024-07-06). It has gained links on 5 days, "
            "typically every 10 days. Probability of no link in the next 180 days: 61%."
        ),
    ),
    (
        article(State.COOLING, 1, 10, 20, 30, 40, probability=0.1, is_short=True),
        (
            "It gained 3 links in 28 days; 11 were expected. No link for 1 day (since 2024-10-03). It has gained links "
            "on 5 days, typically every 9.7 days. Probability of no link in the next 180 days: 10%."
        ),
    ),
    (
        article(State.SILENT, 300, 320, 340, 360, 380, probability=0.88),
        (
            "It has probably stopped gaining links. No link for 300 days (since 2023-12-09). It has gained links on 5 "
            "days, typically every 20 days. Probability of no link in the next 180 days: 88%."
        ),
    ),
    (
        article(State.SILENT, 300, 400, 500, 600, 700, probability=0.41),
        (
            "It has gained no link for unusually long. No link for 300 days (since 2023-12-09). It has gained links on "
            "5 days, typically every 100 days. Probability of no link in the next 180 days: 41%."
        ),
    ),
    (article(State.DORMANT, 300, 400), "It has gained no link since 2023-12-09."),
    (unseen(0.0, None), "The verdict is held back because its sources report late."),
    (
        unseen(1.0, "its source north is stale"),
        "The verdict is held back because its source north is stale: 1 day of its silence does not count.",
    ),
    (
        unseen(12.0, "its source north is stale"),
        "The verdict is held back because its source north is stale: 12 days of its silence do not count.",
    ),
    (
        lost(),
        (
            "5 of 20 links were lost on 2024-10-04. They were on 4 sites and disappeared on one day: check your own "
            "page first, it may have moved."
        ),
    ),
    (
        lost(most_in_a_day=2, last_ms=(TODAY + 3) * DAY_MS),
        (
            "5 of 20 links were lost from 2024-10-04 to 2024-10-07. They were on 4 sites and disappeared over several "
            "days: no single cause stands out."
        ),
    ),
    (
        lost(lost=20, most_of_a_domain=19, of_that_domain=19),
        (
            "All 20 links were lost on 2024-10-04. Nearly all were on one site, and none of its known links is left: "
            "it was probably taken down or rebuilt."
        ),
    ),
    (
        lost(most_of_a_domain=5, of_that_domain=5),
        (
            "5 of 20 links were lost on 2024-10-04. All were on one site, and none of its known links is left: "
            "it was probably taken down or rebuilt."
        ),
    ),
    (
        lost(most_of_a_domain=5, of_that_domain=6),
        (
            "5 of 20 links were lost on 2024-10-04. All were on one site, which keeps 1 other: it probably "
            "removed or changed some pages."
        ),
    ),
    (
        thin(1),
        "It gained 1 link in the last 90 days, but none of high quality since 2023-05-03: 1 in a footer.",
    ),
    (
        thin(4),
        "It gained 4 links in the last 90 days, but none of high quality since 2023-05-03: 4 in a footer.",
    ),
    (
        group(GroupKind.SERIES, usual=3, lately=0),
        (
            "Field notes gained 0 links in the 8 weeks up to 2024-09-29; 24 were expected (probability of so few if "
            "nothing had changed: less than 0.01%)."
        ),
    ),
    (
        group(GroupKind.SITE, usual=3, lately=6, lately_weeks=20),
        (
            "The site Field notes gained 123 links in the 21 weeks up to 2024-09-29; 63 were expected (probability of "
            "so many if nothing had changed: less than 0.01%)."
        ),
    ),
    (
        group(GroupKind.STRATEGY, usual=10, lately=10),
        "The strategy Field notes gained 130 links in 90 days; 129 were expected.",
    ),
    (
        group(GroupKind.AUTHOR, usual=0, lately=1, lately_weeks=1),
        "Field notes gained 1 link in 90 days: too little to judge.",
    ),
    (
        life(*range(0, 2_000, 40)),
        "Evergreen: 50% of its links came in the second half of its 5 years, at regular intervals.",
    ),
    (
        life(*range(900, 1_000, 4), 300),
        "Spiked and faded: 88% of its links came in its first 90 days, in bursts with long gaps between them.",
    ),
    (
        life(1_000, 800, 650, 600, 590, 100),
        "Fading slowly: 17% of its links came in the second half of its 3 years, at irregular intervals.",
    ),
    (
        life(*range(300, 700, 30)),
        "Fading slowly: 14% of its links came in the second half of its 23 months, at regular intervals.",
    ),
    (
        life(*range(1_500, 2_900, 10)),
        "Faded: all its links came in the first half of its 8 years, at regular intervals.",
    ),
    (
        life(*range(1_500, 2_900, 10), 200),
        "Faded: 99% of its links came in the first half of its 8 years, in bursts with long gaps between them.",
    ),
    (life(20), "It is too young, or has too few links, to show a pattern."),
    (
        life(60, 50, 40, 30, 20, 10),
        "It is too young, or has too few links, to show a pattern; its links come at regular intervals.",
    ),
]


@pytest.mark.parametrize(("said", "sentence"), SENTENCES, ids=[sentence for _, sentence in SENTENCES])
def test_each_sentence(said: str, sentence: str) -> None:
    """It says what it means, in the singular where it must."""
    assert said == sentence


def test_what_moves_the_probability() -> None:
    """Facts that people compare with a typical article."""
    always = {
        "links on 21 days so far",
        "usually a link every 30 days",
        "links on about 3.5 days in the months before the pause",
        "its links come more regularly than those of a typical article",
    }
    assert facts(0) == always | {"a link today"}
    assert facts(1) == always | {"no link for 1 day"}
