"""The evidence of a judgement, computed from the state of an article."""

from typing import Final, NamedTuple

from flatline.domain.learned.expectation import Expectation
from flatline.domain.learned.hazard import Hazard
from flatline.domain.learned.season import Season, season_of
from flatline.domain.policy.thresholds import Thresholds
from flatline.domain.quality.link_value import LinkValue
from flatline.domain.state.article import Article
from flatline.domain.state.losses import Losses, losses_of
from flatline.domain.state.previous_verdict import PreviousVerdict
from flatline.domain.state.rhythm import Rhythm
from flatline.domain.time import DAY_MS, day_of
from flatline.domain.visibility.visibility import FULLY_VISIBLE, ArticleVisibility, Visibility

SEASON_ASKED_AFTER_DAYS: Final = 7
"""No shorter pause is a doubt, and most articles are spared the question."""


class Evidence(NamedTuple):
    """All that a judgement of one article rests on.

    ``watched_since_ms``        when its first event reached us: a silence that began before is no news
    ``visibility``                    what its usual sources could see of the days since its last link day
    ``gained_last_7_days``      links, imports and first meetings left out, as for link days; today included
    ``gained_last_365_days``    the same
    ``links_a_link_day``        how many come together on a day on which any come, on average
    ``losses``                  what it lost lately
    ``link_value``              its links by whether they matter; None where that was not weighed
    ``expectation``             what it should have gained lately; None without links, or where that was not asked
    ``season``                  in whose pause it is; None if it is in none
    ``is_floor``                a source reports only a part of the links
    """

    rhythm: Rhythm | None
    watched_since_ms: int
    visibility: ArticleVisibility = FULLY_VISIBLE
    gained_last_7_days: int = 0
    gained_last_365_days: int = 0
    links_a_link_day: float = 1.0
    losses: Losses | None = None
    link_value: LinkValue | None = None
    expectation: Expectation | None = None
    season: Season | None = None
    is_floor: bool = False


def evidence_of(
    article: Article,
    visibility: Visibility,
    *,
    link_value: LinkValue | None = None,
    expectation: Expectation | None = None,
    now_ms: int,
) -> Evidence:
    """Return all that a judgement of an article at ``now_ms`` rests on, without what is not given."""
    rhythm, totals, today = article.rhythm, article.totals, day_of(now_ms)
    seen, links_a_link_day, season = FULLY_VISIBLE, 1.0, None
    if rhythm is not None:
        if today - rhythm.last_day >= SEASON_ASKED_AFTER_DAYS:
            season = season_of(list(totals.days))
        links_a_link_day = sum(totals.days.values()) / rhythm.link_days
        seen = visibility.of_article(article.header.sources, since_ms=rhythm.last_day * DAY_MS, now_ms=now_ms)
    return Evidence(
        rhythm,
        article.header.watched_since_ms,
        seen,
        gained_last_7_days=totals.gained_in_days(7, today=today),
        gained_last_365_days=totals.gained_in_days(365, today=today),
        links_a_link_day=links_a_link_day,
        losses=losses_of(article.segments, live=totals.live, now_ms=now_ms),
        link_value=link_value,
        expectation=expectation,
        season=season,
        is_floor=article.header.floor_ms > 0,
    )


class Circumstances(NamedTuple):
    """What a rule goes by beside the evidence.

    ``was_found``    for a finding: it was already said, and may be harder to take back
    ``seen_day``     the day to which the article is judged: today, less the days that nobody could see
    ``score``        the silence score on that day, by which thresholds go; None with too little history to judge
    ``probability``  of no link within the horizon after that day, which people read; set once the state is known
    ``season_until_day``  until when a pause is one of every year, and no doubt
    """

    today: int
    thresholds: Thresholds
    hazard: Hazard
    was_found: bool = False
    previous: PreviousVerdict | None = None
    seen_day: int = 0
    score: float | None = None
    probability: float | None = None
    season_until_day: int = 0
