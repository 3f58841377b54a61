"""Links that somebody suspects to be gone."""

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flatline.domain.time import to_datetime
from flatline.readmodel.queries.links import LinkFilter, list_links
from flatline.schema.link_event import LinkEvent
from tests.readmodel.places import Place
from tests.readmodel.projecting import NOW_MS, Log, projected

HERE = "https://yours.example/a"
PAGES = [f"https://p{number}.example/" for number in range(4)]

events = st.lists(
    st.tuples(st.sampled_from(PAGES), st.sampled_from(["gained", "lost", "suspected"]), st.integers(1, 6)), max_size=12
)


def _reference(said: list[tuple[str, Any, int]]) -> tuple[set[str], set[str]]:
    """Return the pages whose links are known, and those of them whose links are suspected."""
    known, suspected = set(), set()
    for page in PAGES:
        days: dict[str, list[int]] = {
            kind: [at for url, change, at in said if (url, change) == (page, kind)]
            for kind in ("gained", "lost", "suspected")
        }
        if days["gained"]:
            known.add(page)
            newest = max(days["gained"])
            is_live = newest >= max(days["lost"], default=0)
            if is_live and max(days["suspected"], default=0) > newest:
                suspected.add(page)
    return known, suspected


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(said=events)
def test_a_suspicion_counts_until_the_link_is_seen_again(said: list[tuple[str, Any, int]], place: Place) -> None:
    """It is live, and nobody has seen it since; nobody can suspect what is lost. The rest is not suspected."""
    log = Log()
    start = to_datetime(NOW_MS) - timedelta(days=30)
    # Gains first: of a suspicion of a link that nobody knows yet, nothing is kept.
    for page, change, day in sorted(said, key=lambda each: each[1] != "gained"):
        log.say(LinkEvent(page, HERE, change=change, occurred_at=start + timedelta(days=day), source="s"))
    with place.empty() as made:
        projected(log, made)
        with made.reading() as connection:
            found = {
                is_suspected: {row.url_from for row in list_links(connection, LinkFilter(suspected=is_suspected)).rows}
                for is_suspected in (True, False, None)
            }
    known, suspected = _reference(said)
    assert found == {True: suspected, False: known - suspected, None: known}
