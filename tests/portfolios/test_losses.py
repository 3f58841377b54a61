"""Links that are gone together, and links that come back."""

from typing import Any

import pytest

from flatline.schema.verdict import Finding, FindingKind, State, Verdict
from tests.portfolios.world import Link, Lives, World

HISTORY = range(-600, 300, 10)


def pages(domain: str, count: int, *, day: int = 100, change: str = "gained") -> list[Link]:
    """Links from so many pages of a domain, gained or lost on one day."""
    return [Link("article", day, page=f"https://{domain}/{n}", change=change) for n in range(count)]


def history() -> list[Link]:
    """Ninety pages of ninety domains, gained over the years."""
    return [Link("article", day, page=f"https://page{day}.example/") for day in HISTORY]


def lose(days: range, *, on: int, every: int = 0) -> list[Link]:
    """Return that the pages that were gained on these days are lost, one every so many days."""
    return [
        Link("article", on + n * every, page=f"https://page{day}.example/", change="lost") for n, day in enumerate(days)
    ]


def losses(life: list[Verdict]) -> list[Finding | None]:
    """Return the finding of a mass loss on each day."""
    return [next((each for each in verdict.findings if each.kind is FindingKind.MASS_LOSS), None) for verdict in life]


def play(links: list[Link]) -> Lives:
    """Play them with the history for most of a year."""
    return World([*history(), *links]).play(days=300)


@pytest.mark.parametrize(
    ("links", "begin", "said"),
    [
        (lose(range(-600, -200, 10), on=200), 200, "disappeared on one day: check your own page"),
        (
            lose(range(-600, -400, 10), on=200)[:12] + lose(range(-400, -200, 10), on=203),
            203,
            "no single cause stands out",
        ),
        (
            [*pages("big.example", 40), *pages("big.example", 40, day=200, change="lost")],
            200,
            "none of its known links is left",
        ),
        ([*pages("big.example", 60), *pages("big.example", 40, day=200, change="lost")], 200, "which keeps 20 others"),
    ],
    ids=["own page", "a wave", "a site", "a part of a site"],
)
def test_a_mass_loss_is_found_with_its_likely_reason(links: list[Link], begin: int, said: str) -> None:
    """It is said when it happened, for two weeks, with words that say where to look; the state is not touched."""
    life = play(links)["article"]
    found = losses(life)
    days = [day for day, each in enumerate(found) if each]
    assert days[0] == begin
    assert days == list(range(begin, days[-1] + 1))
    assert 10 <= len(days) <= 16
    first, last = found[days[0]], found[days[-1]]
    assert first
    assert last
    assert first.since == last.since
    assert said in first.reason
    assert {verdict.state for verdict in life[200:]} == {State.STEADY}


@pytest.mark.parametrize(
    ("links", "why"),
    [
        (lose(range(-600, -560, 10), on=200), "four links are not many"),
        (lose(range(-600, -300, 10), on=50, every=7), "one a week is how links go"),
        ([*pages("spam.example", 500, day=50), *lose(range(-600, -400, 10), on=200)], "twenty of 580 are few"),
    ],
)
def test_what_is_no_mass_loss(links: list[Link], why: str) -> None:
    """Few links, few of all, or few at a time."""
    assert not any(losses(play(links)["article"])), why


@pytest.mark.parametrize(
    "unseen", [{"lost_reason": "timeout"}, {"change": "suspected"}, {"change": "suspected", "lost_reason": "removed"}]
)
def test_what_was_not_seen_is_not_lost(unseen: dict[str, Any]) -> None:
    """A crawler that could not read forty pages, or only thinks so, takes no link away; a second look may."""
    days = range(-600, -200, 10)
    suspected = [link._replace(**unseen) for link in lose(days, on=200)]
    life = play([*suspected, *lose(days, on=210)])["article"]
    found = losses(life)
    assert not any(found[:210])
    assert life[209].live == life[209].gained_total
    assert life[209].lost_total == 0
    assert found[210]
    assert life[210].lost_total == len(days)


def test_reported_reasons_are_told() -> None:
    """The commonest reason is in the sentence, all are counted; what a source says in words of its own is not known."""
    lost = lose(range(-600, -200, 10), on=200)
    reasons = ["HTTP 404"] * 20 + ["page_gone"] * 5 + ["Removed"] * 10 + ["the intern"] * 3 + [None] * 2
    life = play([link._replace(lost_reason=reason) for link, reason in zip(lost, reasons, strict=True)])["article"]
    found = losses(life)[200]
    assert found
    assert found.lost_reasons == {"page_gone": 25, "removed": 10}
    assert "Reason reported for 25 of them: the page is gone." in found.reason
    assert not play(lost)["article"][200].findings[0].lost_reasons


def test_links_that_come_back_take_it_back() -> None:
    """A site that was down for three days: the loss is said and taken back, and nothing counts twice."""
    days = range(-600, -200, 10)
    back = [link._replace(day=203, change="gained") for link in lose(days, on=200)]
    life = play([*lose(days, on=200), *back])["article"]
    assert [day for day, each in enumerate(losses(life)) if each] == [200, 201, 202]
    assert life[203].gained_total == life[202].gained_total
    assert life[203].live == life[202].live + len(days)
    assert {verdict.state for verdict in life[200:]} == {State.STEADY}
    assert "came back" in life[203].reason
