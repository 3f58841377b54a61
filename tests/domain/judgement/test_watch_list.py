"""Who has metrics of their own."""

from collections.abc import Iterator, ValuesView
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from flatline.domain.judgement.watch_list import Candidates, Watched, WatchList
from flatline.schema.verdict import Finding, FindingKind, GainedInDays, State, Verdict

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
        probability=0.75,
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
    return Watched(verdict, usual_gap_days=3.0, days_since_last_link=9)


def test_registered_tiers_come_first_then_trouble_then_size() -> None:
    """The order is tier, then how urgent the state is, then how many links there are to lose."""
    candidates = Candidates()
    watch_list = WatchList(4, [candidates])
    for each in (
        watched("small trouble", State.SILENT, gained=5),
        watched("large trouble", State.SILENT, gained=500),
        watched("third tier", State.STEADY, tier=3),
        watched("first tier, calm", State.STEADY, tier=1),
        watched("first tier, silent", State.SILENT, tier=1),
        watched("calm, not registered", State.STEADY, gained=9_999),
    ):
        candidates.note(each)
    assert [each.verdict.article for each in watch_list.chosen()] == [
        "first tier, silent",
        "first tier, calm",
        "third tier",
        "large trouble",
    ]
    assert watch_list.left_out() == (0, 1)


def test_who_recovers_leaves() -> None:
    """An article that is not registered is watched only while it is in trouble."""
    candidates = Candidates()
    candidates.note(watched("a", State.SILENT))
    candidates.note(watched("a", State.STEADY))
    assert WatchList(10, [candidates]).chosen() == []


notes = st.tuples(
    st.integers(0, 30),
    st.one_of(
        st.none(),
        st.tuples(st.sampled_from(list(State)), st.sampled_from([None, 1, 2, 3]), st.integers(1, 3)),
    ),
)


@settings(deadline=None)
@given(st.lists(notes, max_size=200))
def test_the_best_of_all_partitions_are_chosen(noted: list[tuple[int, tuple[State, int | None, int] | None]]) -> None:
    """However verdicts come and articles are forgotten: the choice is that of a sort of all, and none is lost."""
    partitions, latest = [Candidates(), Candidates(), Candidates()], dict[int, Watched]()
    for number, said in noted:
        candidates = partitions[number % 3]
        if said is None:
            candidates.forget(str(number))
            latest.pop(number, None)
            continue
        state, tier, gained = said
        latest[number] = watched(str(number), state, tier=tier, gained=gained)
        candidates.note(latest[number])
        WatchList(7, partitions).chosen()  # a scrape in between
    ranked = sorted((each for each in latest.values() if each.is_candidate), key=lambda each: each.rank)
    watch_list = WatchList(7, partitions)
    assert watch_list.chosen() == ranked[:7]
    registered = sum(each.verdict.tier is not None for each in ranked[7:])
    assert watch_list.left_out() == (registered, len(ranked[7:]) - registered)


def test_the_heap_does_not_grow_with_verdicts() -> None:
    """An article whose rank changes for ever leaves no more behind than there are articles."""
    candidates = Candidates()
    for gained in range(20_000):
        candidates.note(watched("a", State.SILENT, gained=gained))
    assert len(candidates._heap) < 2_000
    assert [each.verdict.gained_total for each in WatchList(3, [candidates]).chosen()] == [19_999]


def test_a_scrape_ranks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Articles are ranked as verdicts come; a scrape takes the best, and looks at no more than it shows."""
    candidates = Candidates()
    for number in range(5_000):
        candidates.note(watched(str(number), State.SILENT, gained=number))
    looked_at: list[object] = []
    known = candidates._known
    candidates._known = Looked(known, looked_at)
    monkeypatch.setattr(Watched, "rank", property(lambda _watched: 1 / 0))
    watch_list = WatchList(7, [candidates])
    assert [each.verdict.gained_total for each in watch_list.chosen()] == list(range(4_999, 4_992, -1))
    assert watch_list.left_out() == (0, 4_993)
    assert len(looked_at) == 7


class Looked(dict[str, object]):
    """A dict that notes which of its keys are looked up, and can't be walked through."""

    def __init__(self, known: dict[str, tuple[Watched, object]], looked_at: list[object]) -> None:
        super().__init__(known)
        self._looked_at = looked_at

    def get(self, key: str, default: object = None) -> object:
        """Note it."""
        self._looked_at.append(key)
        return super().get(key, default)

    def __iter__(self) -> Iterator[str]:
        raise AssertionError

    def values(self) -> ValuesView[object]:
        """Refuse."""
        raise AssertionError


def test_who_is_set_aside_is_neither_shown_nor_missed() -> None:
    """It counts nowhere, whatever is said of it later; when it is set aside no more, its newest verdict is there."""
    candidates = Candidates()
    for article in ("a", "peer", "former peer"):
        candidates.note(watched(article, State.SILENT, tier=1))
    candidates.set_aside(lambda article: "peer" in article, 1)
    candidates.note(watched("new peer", State.SILENT, tier=1))
    candidates.note(watched("peer", State.COOLING, tier=1))

    def shown() -> list[tuple[str, State]]:
        return [(each.verdict.article, each.verdict.state) for each in WatchList(9, [candidates]).chosen()]

    assert shown() == [("a", State.SILENT)]
    assert WatchList(0, [candidates]).left_out() == (1, 0)
    candidates.forget("former peer")
    candidates.note(watched("new peer", State.STEADY))
    candidates.set_aside(lambda article: article == "a", 2)
    assert shown() == [("peer", State.COOLING)]
    candidates.set_aside(lambda _article: False, 2)  # the same version: nothing is looked at
    assert shown() == [("peer", State.COOLING)]


def test_a_finding_makes_a_candidate_behind_those_in_trouble() -> None:
    """What is found beside the state is watched, although nobody registered the article."""
    finding = Finding(FindingKind.MASS_LOSS, NOW, "")
    lost = watched("lost many", State.STEADY)
    candidates = Candidates()
    for each in (
        lost._replace(verdict=structs.replace(lost.verdict, findings=[finding])),
        watched("cooling", State.COOLING),
        watched("calm", State.STEADY),
    ):
        candidates.note(each)
    assert [each.verdict.article for each in WatchList(4, [candidates]).chosen()] == ["cooling", "lost many"]
