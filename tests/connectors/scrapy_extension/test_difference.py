"""What a look at a page says in comparison with the look before."""

from datetime import UTC, datetime, timedelta

import pytest

from flatline_connectors.scrapy_extension.look import Known, Look, SeenLink, difference

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
NOW_MS, DAY_MS = 1_795_867_200_000, 86_400_000
PAGE, A, B = "https://page.example/post", "https://yours.example/a", "https://yours.example/b"
EDGE = NOW_MS - DAY_MS


def look(*targets: str, status: int = 200, is_read_well: bool = True) -> Look:
    """Return a look at a page with links to these."""
    return Look(PAGE, status, NOW, is_read_well=is_read_well, links=dict.fromkeys(targets, SeenLink("x")))


@pytest.mark.parametrize(
    ("known", "seen", "events", "now_known"),
    [
        # A page that nobody has looked at: its links may be as old as it is.
        (None, look(A), [("gained", "page_found", A, None)], {A: None}),
        (None, look(), [], {}),
        (None, look(status=404), [], None),
        (None, look(A, is_read_well=False), [], None),
        # A page that was known without the link.
        ({}, look(A), [("gained", "link_found", A, None)], {A: None}),
        ({A: None}, look(A), [], {A: None}),
        ({A: None}, look(A, B), [("gained", "link_found", B, None)], {A: None, B: None}),
        # One look without the link is a suspicion, and a second one a day later a loss.
        ({A: None, B: None}, look(B), [("suspected", "link_found", A, "removed")], {A: NOW_MS, B: None}),
        ({A: EDGE + 1}, look(), [], {A: EDGE + 1}),
        ({A: EDGE}, look(), [("lost", "link_found", A, "removed")], {}),
        ({A: EDGE}, look(A), [("gained", "link_found", A, None)], {A: None}),
        # 404 likewise; 410 is meant.
        ({A: None}, look(status=404), [("suspected", "link_found", A, "page_gone")], {A: NOW_MS}),
        ({A: EDGE}, look(status=404), [("lost", "link_found", A, "page_gone")], {}),
        ({A: None}, look(status=410), [("lost", "link_found", A, "page_gone")], {}),
        # What can't be read says nothing.
        ({A: None}, look(status=403), [], {A: None}),
        ({A: None}, look(status=500), [], {A: None}),
        ({A: None}, look(is_read_well=False), [], {A: None}),
    ],
)
def test_difference(known: Known | None, seen: Look, events: list[tuple[str, ...]], now_known: Known | None) -> None:
    """Each rule has a row."""
    found, after = difference(known, seen)
    assert [(event.change, event.discovery, event.url_to, event.lost_reason) for event in found] == events
    assert after == now_known
    assert all(event.observed_at == NOW and event.url_from == PAGE for event in found)


def test_edges_of_the_second_look() -> None:
    """NOW_MS is NOW."""
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=NOW_MS) == NOW
