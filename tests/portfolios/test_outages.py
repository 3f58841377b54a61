"""Sources that die, and return: one alert for the source, none for its articles, and nothing flaps."""

from random import Random

import pytest

from flatline.demo import rhythms
from flatline.schema.verdict import State
from tests.portfolios.world import Link, Lives, Source, World

pytestmark = pytest.mark.long

DAYS = 700
OUTAGE = range(200, 480)
LATE = slice(OUTAGE.start, None)

BY_HEARTBEATS = Source("north", OUTAGE, heartbeat_days=1)
BY_HABIT = Source("north", OUTAGE)
BY_HABIT_UNDATED = Source("north", OUTAGE, is_dated=False)
SOUTH = Source("south", heartbeat_days=1)


def steady(article: str, source: Source, *, seed: int = 1, until: int = DAYS, mean_gap: float = 12) -> list[Link]:
    """Return one that gains a link every ``mean_gap`` days, on average, and that this source finds."""
    chance = Random(f"{article} {seed}")
    return [Link(article, day, source=source) for day in rhythms.steady(chance, range(-500, until), mean_gap=mean_gap)]


def portfolio(source: Source) -> list[Link]:
    """Twelve articles of one source: a third of them stops long before the outage, and a third while it lasts."""
    return [
        *(link for n in range(4) for link in steady(f"goes-on-{n}", source)),
        *(link for n in range(4) for link in steady(f"stops-before-{n}", source, until=-140 + 5 * n)),
        *(link for n in range(4) for link in steady(f"stops-meanwhile-{n}", source, until=OUTAGE.start + 20 * n)),
    ]


@pytest.mark.parametrize("source", [BY_HEARTBEATS, BY_HABIT, BY_HABIT_UNDATED], ids=["heartbeats", "habit", "undated"])
def test_only_the_source_is_said_to_be_gone(source: Source) -> None:
    """While it is away no article of it is called silent, and the source is stale until it is back."""
    world = World(portfolio(source), sources=[source])
    lives = world.play(days=DAYS)
    assert not lives.those(State.SILENT, slice(OUTAGE.start + 40, OUTAGE.stop)) - lives.those(
        State.SILENT, slice(0, OUTAGE.start + 1)
    )
    stale_days = [day for day, stale in enumerate(world.stale) if stale]
    assert OUTAGE.start < stale_days[0] < OUTAGE.start + 40
    assert stale_days == list(range(stale_days[0], OUTAGE.stop))
    going_on = {article for article in lives if article.startswith("goes-on")}
    for article in going_on:
        # Undated links all come with the date of the return: a burst to the eye, and none in truth.
        assert not {State.SILENT, State.DORMANT, State.REVIVED, State.BURSTING} & set(lives.states(article, LATE))


@pytest.mark.parametrize("source", [BY_HEARTBEATS, BY_HABIT], ids=["heartbeats", "habit"])
def test_what_stopped_meanwhile_is_said_once_the_source_is_back(source: Source) -> None:
    """What stopped while nobody looked is called silent soon after, once; the suppressed verdict says why it waited."""
    lives = World(portfolio(source), sources=[source]).play(days=DAYS)
    for n in range(4):
        article = f"stops-meanwhile-{n}"
        assert OUTAGE.stop < lives.day_of(article, State.SILENT), article
        assert lives.states(article, LATE).count(State.SILENT) == 1
        waiting = lives[article][OUTAGE.stop - 1]
        assert waiting.suppressed
        assert "The verdict is held back because its source north has seen nothing since 2025-04-" in waiting.reason


@pytest.mark.parametrize("source", [BY_HEARTBEATS, BY_HABIT], ids=["heartbeats", "habit"])
def test_a_restart_forgets_nothing(source: Source) -> None:
    """A worker that starts anew in the middle of an outage judges as one that ran through."""

    def states(lives: Lives) -> dict[str, list[State]]:
        return {article: [verdict.state for verdict in life] for article, life in lives.items()}

    links = portfolio(source)
    restarted = World(links, sources=[source], restarts=frozenset({150, 330, 600}))
    ran_through = World(links, sources=[source])
    assert states(restarted.play(days=DAYS)) == states(ran_through.play(days=DAYS))


def test_another_source_still_covers() -> None:
    """What two sources find is judged by the one that is left; what only the dead one finds is not."""
    away = Source("north", range(200, DAYS), heartbeat_days=1)
    stop = 190
    both = [link._replace(source=source) for link in steady("both", away, until=stop) for source in (away, SOUTH)]
    both = [link._replace(page=f"https://page-{link.day}.example/") for link in both]
    only = [link._replace(article="only") for link in steady("both", away, until=stop)]
    lives = World([*both, *only], sources=[away, SOUTH]).play(days=DAYS)
    assert State.SILENT in lives.states("both")
    assert State.SILENT not in lives.states("only")


def test_half_the_visibility_takes_twice_as_long() -> None:
    """Of an article whose links two sources find in equal parts, half a silence is seen when one of them is away."""
    away = Source("north", range(200, 5_000), heartbeat_days=1)
    links = steady("article", SOUTH, until=190)
    halved = [link._replace(source=away if n % 2 else SOUTH) for n, link in enumerate(links)]
    whole_day = World(links, sources=[SOUTH]).play(days=1_200).day_of("article", State.SILENT) - 190
    halved_day = World(halved, sources=[SOUTH, away]).play(days=1_200).day_of("article", State.SILENT) - 190
    assert whole_day * 1.5 < halved_day < whole_day * 2.5


def test_a_source_that_is_always_late_delays_silence_by_its_lag() -> None:
    """Days that a source has usually not reported yet are no silence."""
    late = Source("late", lag_days=40)
    prompt = Source("prompt")
    others = [link for n in range(5) for source in (late, prompt) for link in steady(f"{source.name}-{n}", source)]
    stops = [steady(f"stops-{source.name}", source, seed=7, until=200) for source in (late, prompt)]
    stops[0] = [link._replace(article="stops-late", source=late) for link in stops[1]]
    lives = World([*others, *stops[0], *stops[1]]).play(days=900)
    delay = lives.day_of("stops-late", State.SILENT) - lives.day_of("stops-prompt", State.SILENT)
    assert 30 <= delay <= 60
    assert not lives.those(State.SILENT) - {"stops-late", "stops-prompt"}
