"""The read model is what the log says, in whatever pieces it is read."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from flatline.domain.policy.policy import Policy
from flatline.domain.time import DAY_MS, to_datetime
from flatline.readmodel.projection import Projection
from flatline.readmodel.sqlite_file import SqliteFile
from flatline.schema.article_record import ArticleRecord
from flatline.schema.link_event import LinkEvent
from flatline.schema.move import Move
from flatline.schema.recognised_import import LabellingSource, RecognisedImport
from flatline.schema.removal import Removal
from flatline.schema.site_record import SiteRecord
from tests.readmodel.places import Place
from tests.readmodel.projecting import (
    NOW_MS,
    TOPICS,
    Log,
    counted,
    counted_by_source,
    dump,
    projected,
    reference,
    reference_by_source,
    reference_signs_of_life,
    signs_of_life,
)

ADDRESSES = [f"https://yours.example/{name}" for name in ("a", "b", "c", "a?promo=1")]
PAGES = [f"https://{site}.example/{page}" for site in ("one", "two", "three") for page in ("x", "y")]

instants = st.integers(1, 40).map(lambda days: to_datetime(NOW_MS - days * DAY_MS))
link_events = st.builds(
    LinkEvent,
    url_from=st.sampled_from(PAGES),
    url_to=st.sampled_from(ADDRESSES),
    change=st.sampled_from(["gained", "gained", "lost", "suspected"]),
    occurred_at=instants,
    discovery=st.sampled_from(["link_found", "import"]),
    anchor=st.none() | st.sampled_from(["why we left", "here", "=HYPERLINK()"]),
    lost_reason=st.sampled_from([None, "removed", "timeout"]),
    source=st.sampled_from([None, "crawler", "vendor", "recheck"]),
).map(lambda event: event if event.change == "lost" else replace(event, lost_reason=None))
moves = st.builds(
    lambda pair, decided_at, is_undone: Move(ADDRESSES[pair[0]], ADDRESSES[pair[1]], decided_at, is_undone=is_undone),
    st.sampled_from([(0, 1), (1, 2), (0, 2)]),
    instants,
    st.booleans(),
)
removals = st.builds(Removal, st.sampled_from(ADDRESSES), instants)
registrations = st.builds(ArticleRecord, st.sampled_from(ADDRESSES), title=st.sampled_from(["A title", "Another"]))
site_records = st.just(SiteRecord("yours.example", ignored_parameters=["promo"], owner="growth"))
histories = st.lists(
    st.one_of(link_events, link_events, link_events, moves, removals, registrations, site_records), max_size=40
)
# Of so few days that links and imports often meet.
same_days = st.integers(1, 3).map(lambda days: to_datetime(NOW_MS - days * DAY_MS))
gains = st.builds(
    LinkEvent,
    url_from=st.sampled_from(PAGES),
    url_to=st.sampled_from(ADDRESSES),
    change=st.sampled_from(["gained", "gained", "gained", "lost"]),
    occurred_at=same_days,
    discovery=st.sampled_from(["link_found", "link_found", "import"]),
    source=st.sampled_from(["crawler", "vendor"]),
)
imports = st.builds(RecognisedImport, st.sampled_from(["crawler", "vendor"]), same_days, st.just(50), st.just(8))
histories_with_imports = st.lists(
    st.one_of(gains, gains, gains, moves, removals, imports, st.just(LabellingSource("vendor"))),
    min_size=8,
    max_size=30,
)


@pytest.mark.long
@settings(max_examples=60)
@given(events=histories, sizes=st.lists(st.integers(1, 10), max_size=10), is_building=st.booleans())
def test_counts_are_those_of_the_log(place: Place, events: list[object], sizes: list[int], is_building: bool) -> None:
    """Links, losses, live ones and domains of each article equal a count from the events, whatever moved or is gone.

    Whether it is read at once or in pieces, with a new start before each piece, and summed up on the way or at the end.
    """
    log = Log()
    log.say(*events)
    with place.empty() as made:
        unread = {place: list(records) for place, records in log.batch().items()}
        for size in [*sizes, len(events) + 1]:
            projection = Projection(made, TOPICS, Policy(), is_building=is_building)
            projection.apply({place: left[:size] for place, left in unread.items()})
            unread = {place: left[size:] for place, left in unread.items()}
        if is_building:
            projection.settle()
        assert counted(made) == reference(events)
        assert counted_by_source(made) == reference_by_source(events)
        if isinstance(made, SqliteFile):  # PostgreSQL's indexes are what the tables hold
            with made.writing() as connection:
                for table in ("article_search", "link_search"):  # raises unless it holds what the other tables do
                    connection.exec_driver_sql(f"INSERT INTO {table}({table}, rank) VALUES ('integrity-check', 1)")


@pytest.mark.long
@settings(max_examples=30)
@given(events=histories_with_imports, sizes=st.lists(st.integers(1, 10), max_size=5))
def test_recognised_imports_are_no_signs_of_life(place: Place, events: list[object], sizes: list[int]) -> None:
    """Whether an import is recognised before or after its links come, and until its source labels its imports."""
    log = Log()
    log.say(*events)
    with place.empty() as made:
        unread = {place: list(records) for place, records in log.batch().items()}
        for size in [*sizes, len(events) + 1]:
            Projection(made, TOPICS, Policy()).apply({place: left[:size] for place, left in unread.items()})
            unread = {place: left[size:] for place, left in unread.items()}
        assert signs_of_life(made) == reference_signs_of_life(events)


@settings(max_examples=30)
@given(events=histories)
def test_a_batch_applied_twice_changes_nothing(place: Place, events: list[object]) -> None:
    """It is refused by its offsets; and were these lost, the same records would still say the same of each link."""
    log = Log()
    log.say(*events)
    with place.empty() as made:
        projected(log, made)
        before = dump(made)
        assert Projection(made, TOPICS, Policy()).apply(log.batch()) == 0
        assert dump(made) == before
        with made.writing() as connection:
            connection.exec_driver_sql("DELETE FROM positions")
        Projection(made, TOPICS, Policy()).apply(log.batch())
        # What happened to a link on the way there may happen again, and events of a day are counted again.
        again = ["live", "link_changes", "source_days"]
        assert counted(made) == reference(events)
        assert dump(made, without=again) == {name: rows for name, rows in before.items() if name not in again}
