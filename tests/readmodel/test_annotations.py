"""Annotations are shown with the articles that they are about, whatever moves, and in whatever pieces they are read."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from flatline.domain.annotations import annotation_id, checked
from flatline.domain.policy.policy import Policy
from flatline.domain.time import DAY_MS, to_datetime, to_ms
from flatline.readmodel.projection import Projection
from flatline.readmodel.queries.annotations import AnnotationFilter, find_annotation, list_annotations
from flatline.readmodel.queries.article import find_article
from flatline.schema import codec
from flatline.schema.annotation import Annotation
from flatline.schema.article_record import ArticleRecord
from flatline.schema.move import Move
from flatline.schema.site_record import SiteRecord
from tests.api.histories import HOSTILE
from tests.readmodel.places import Place
from tests.readmodel.projecting import NOW_MS, TOPICS, Log

NOW = to_datetime(NOW_MS)
TODAY = NOW.date()
HOSTS = ("yours.example", "blog.yours.example", "yours.net", "theirs.example")
ARTICLES = [f"https://{host}/{name}" for host in HOSTS for name in ("a", "b")]
MOVED, NEW = ARTICLES[0], ARTICLES[3]

annotations = st.builds(
    lambda days, text, subject, by, is_removed: Annotation(
        TODAY - timedelta(days=days), text, NOW, by=by, is_removed=is_removed, **subject
    ),
    st.integers(-3, 3),
    st.sampled_from(["Redesign", "Campaign"]),
    st.sampled_from([{}, *({"article": key} for key in ARTICLES), *({"site": host} for host in HOSTS)]),
    st.sampled_from([None, "Ann"]),
    st.sampled_from([False, False, True]),
)
tombstones = st.sampled_from(["1", "2"])
events = st.lists(
    st.tuples(st.sampled_from(["1", "2", "3", "4", "5"]), annotations)
    | tombstones
    | st.booleans().map(lambda is_undone: Move(MOVED, NEW, NOW, is_undone=is_undone)),
    max_size=16,
)


def _log(said: Sequence[Any]) -> Log:
    """Return articles of a site with two hosts, and what is said of them, moves in the order of their time."""
    log = Log()
    log.say(SiteRecord("yours.example", aliases=["yours.net"]), *map(ArticleRecord, ARTICLES))
    for number, event in enumerate(said):
        if isinstance(event, Move):
            log.say(replace(event, decided_at=to_datetime(NOW_MS - DAY_MS + number)))
        elif isinstance(event, str):
            log.write(TOPICS.annotations, None, key=event.encode())
        else:
            key, annotation = event
            log.write(TOPICS.annotations, codec.annotations.encode(annotation), key=key.encode())
    return log


def _shown(said: Sequence[Any]) -> dict[str, set[tuple[str, date, str]]]:
    """Return by article what its curve shows, from the events themselves."""
    last: dict[str, Annotation | None] = {}
    has_moved = False
    for event in said:
        if isinstance(event, Move):
            has_moved = not event.is_undone
        elif isinstance(event, str):
            last[event] = None
        else:
            last[event[0]] = event[1]
    found = {key: set() for key in ARTICLES if not (has_moved and key == MOVED)}
    hosts_of = {
        "yours.example": {"yours.example"},
        "blog.yours.example": {"blog.yours.example", "yours.example"},
        "yours.net": {"yours.net", "yours.example"},
        "theirs.example": {"theirs.example"},
    }
    for number, annotation in last.items():
        if annotation is None or annotation.is_removed:
            continue
        for key, shown in found.items():
            on = NEW if has_moved and annotation.article == MOVED else annotation.article
            if on == key or annotation.site in hosts_of[key.split("/")[2]] or (on is None and annotation.site is None):
                shown.add((number, annotation.day, annotation.text))
    return found


@pytest.mark.long
@settings(max_examples=60)
@given(said=events, sizes=st.lists(st.integers(1, 6), max_size=4), is_building=st.booleans())
def test_an_article_shows_what_is_said_of_it(
    place: Place, said: list[Any], sizes: list[int], is_building: bool
) -> None:
    """The last record of each, on it, on its site with all hosts, and on everything; they go with it when it moves."""
    with place.empty() as made:
        unread = {each: list(records) for each, records in _log(said).batch().items()}
        for size in [*sizes, 100]:
            projection = Projection(made, TOPICS, Policy(), is_building=is_building)
            projection.apply({each: left[:size] for each, left in unread.items()})
            unread = {each: left[size:] for each, left in unread.items()}
        if is_building:
            projection.settle()
        expected = _shown(said)
        with made.reading() as connection:
            for key, shown in expected.items():
                detail = find_article(connection, key, as_of=TODAY, partitions=1)
                assert detail is not None
                days = [row.day for row in detail.annotations]
                assert days == sorted(days, reverse=True)
                assert {(row.id, row.day, row.text) for row in detail.annotations} == shown
                assert {row.article for row in detail.annotations} <= {key, None}
                assert list_annotations(connection, AnnotationFilter(article=key)) == detail.annotations
            every = {row.id for row in list_annotations(connection, AnnotationFilter())}
            assert every == {number for shown in expected.values() for number, _, _ in shown}
            later = list_annotations(connection, AnnotationFilter(day_from=TODAY, day_until=TODAY))
            assert {row.id for row in later} == {
                n for shown in expected.values() for n, day, _ in shown if day == TODAY
            }
            for number in "12345":
                assert (find_annotation(connection, number) is not None) == (number in every)


def test_texts_are_kept_as_they_are(place: Place) -> None:
    """Whatever they hold; what can't be read is left out, and changes nothing. No article comes of one."""
    log = Log()
    for number, text in enumerate(HOSTILE):
        value = codec.annotations.encode(Annotation(TODAY, text[:1_000], NOW, by=text[:200]))
        log.write(TOPICS.annotations, value, key=b"%d" % number)
    nowhere = codec.annotations.encode(Annotation(TODAY, "x", NOW, article="https://nowhere.example/"))
    log.write(TOPICS.annotations, nowhere, key=b"nowhere")
    for key, value in (
        (b"0", b"{}"),
        (b"0", codec.annotations.encode(Annotation(TODAY, "x", NOW, article="mailto:x@y.example"))),
        (b"0", codec.annotations.encode(Annotation(TODAY, "x", NOW, article="https://a.example/", site="a.example"))),
        (b"0", codec.annotations.encode(Annotation(date(1989, 1, 1), "x", NOW))),
        (b"a key/that is none", codec.annotations.encode(Annotation(TODAY, "x", NOW))),
        (b"\xff", codec.annotations.encode(Annotation(TODAY, "x", NOW))),
    ):
        log.write(TOPICS.annotations, value, key=key)
    with place.empty() as made:
        Projection(made, TOPICS, Policy()).apply(log.batch())
        with made.reading() as connection:
            rows = {row.id: row for row in list_annotations(connection, AnnotationFilter())}
            assert find_article(connection, "https://nowhere.example/", as_of=TODAY, partitions=1) is None
    assert rows.pop("nowhere").article == "https://nowhere.example/"
    assert {number: row.text for number, row in rows.items()} == {
        str(number): text[:1_000].replace("\0", "\ufffd") for number, text in enumerate(HOSTILE)
    }
    assert all(to_ms(row.annotated_at) == NOW_MS for row in rows.values())


def test_an_id_tells_what_is_said_apart() -> None:
    """The same for any spelling of an article; another day, text, article or site has another one, and who says no."""
    article = Annotation(TODAY, "x", NOW, article="https://yours.example/a")
    spelled = replace(
        article, article="http://WWW.yours.example/a/?utm_source=y#z", by="Ann", annotated_at=to_datetime(0)
    )
    assert annotation_id(checked(spelled)) == annotation_id(checked(article))
    others = [
        replace(article, day=TODAY + timedelta(days=1)),
        replace(article, text="y"),
        replace(article, article="https://yours.example/b"),
        replace(article, article=None),
        replace(article, article=None, site="yours.example"),
    ]
    assert len({annotation_id(checked(each)) for each in (article, *others)}) == 6
