"""Who has metrics of their own."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from streams.domain.watch_list import Watched, WatchList
from streams.schema.verdict import Finding, FindingKind, GainedInDays, State, Verdict

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def watched(article: str, state: State, *, tier: int | None = None, gained: int = 1) -> Watched:
    """Return a watched article in few words."""
    verdict = Verdict(
        article=article,
        state=state,
        since=NOW,
        judged_at=NOW,
        reason="",
        score=0.5,
        horizon_days=180,
        suppressed=False,
        gained_total=gained,
        lost_total=0,
        live=gained,
        referring_domains=1,
        gained_in_days=GainedInDays(0, 0, 0, 0, 0),
        first_gained_at=NOW,
        last_gained_at=NOW,
        nofollow=0,
        ugc=0,
        sponsored=0,
        tier=tier,
    )
    return Watched(verdict, mean_gap_days=3.0, days_since_last_link=9)


def test_registered_tiers_come_first_then_trouble_then_size() -> None:
    """The order is tier, then how urgent the state is, then how many links there are to lose."""
    watch_list = WatchList(size=4)
    for each in (
        watched("small trouble", State.SILENT, gained=5),
        watched("large trouble", State.SILENT, gained=500),
        watched("third tier", State.STEADY, tier=3),
        watched("first tier, calm", State.STEADY, tier=1),
        watched("first tier, silent", State.SILENT, tier=1),
        watched("calm, not registered", State.STEADY, gained=9_999),
    ):
        watch_list.note(each)
    assert [each.verdict.article for each in watch_list.chosen()] == [
        "first tier, silent",
        "first tier, calm",
        "third tier",
        "large trouble",
    ]
    assert watch_list.left_out() == (0, 1)


def test_who_recovers_leaves() -> None:
    """An article that is not registered is watched only while it is in trouble."""
    watch_list = WatchList(size=10)
    watch_list.note(watched("a", State.SILENT))
    watch_list.note(watched("a", State.STEADY))
    assert watch_list.chosen() == []


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from(list(State)), st.sampled_from([None, 1, 2, 3]))))
def test_never_more_than_its_size(notes: list[tuple[int, State, int | None]]) -> None:
    """Chosen and left out together are all candidates, and the chosen never exceed the size."""
    watch_list, latest = WatchList(size=7), {}
    for number, state, tier in notes:
        latest[number] = watched(str(number), state, tier=tier)
        watch_list.note(latest[number])
    candidates = sum(each.is_candidate for each in latest.values())
    assert len(watch_list.chosen()) == min(7, candidates)
    assert sum(watch_list.left_out()) == max(0, candidates - 7)


def test_a_finding_makes_a_candidate_behind_those_in_trouble() -> None:
    """What is found beside the state is watched, although nobody registered the article."""
    finding = Finding(FindingKind.MASS_LOSS, NOW, "")
    lost = watched("lost many", State.STEADY)
    watch_list = WatchList(size=4)
    for each in (
        lost._replace(verdict=structs.replace(lost.verdict, findings=[finding])),
        watched("cooling", State.COOLING),
        watched("calm", State.STEADY),
    ):
        watch_list.note(each)
    assert [each.verdict.article for each in watch_list.chosen()] == ["cooling", "lost many"]
