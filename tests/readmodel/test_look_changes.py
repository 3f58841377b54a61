"""Links that turn nofollow, have their anchor rewritten or move: what the read model, its pages and `explain` tell."""

from collections import Counter
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from flatline.domain.events.observation import ArticleKeys, observation_of
from flatline.domain.explanation.explanation import ExplanationContext, explain
from flatline.domain.policy.policy import Policy
from flatline.domain.state.article import Article, Header, LinkObservation
from flatline.domain.state.segment import Segment
from flatline.domain.time import DAY_MS, to_datetime
from flatline.page.rendering import new_looks
from flatline.page.views.lost import lost_view
from flatline.readmodel.queries.links import LinkFilter, list_links
from flatline.readmodel.queries.publishers import turned_nofollow
from flatline.schema.link_event import LinkEvent
from flatline.schema.site_record import SiteRecord
from tests.readmodel.projecting import NOW_MS, Log, database, projected

looks = st.lists(
    st.fixed_dictionaries(
        {
            "rel": st.sampled_from([None, [], ["ugc"], ["nofollow"], ["NoFollow", "sponsored"]]),
            "anchor": st.sampled_from([None, "", "Tides", " Tides ", "here"]),
            "placement": st.sampled_from([None, "content", "footer"]),
        }
    ),
    max_size=6,
)


def _event(number: int, *, days_ago: float, article: str = "a", site: str = "p", **look: Any) -> LinkEvent:
    return LinkEvent(
        f"https://{site}.example/{number}",
        f"https://yours.example/{article}",
        occurred_at=to_datetime(NOW_MS - (300 * DAY_MS if look.get("change") != "lost" else 0)),
        observed_at=to_datetime(NOW_MS - int(days_ago * DAY_MS)),
        source="crawler",
        **look,
    )


def _reference(history: list[dict[str, Any]]) -> list[tuple[int, str]]:
    """Return days ago and kind of each change: each statement is compared with the one before it of the same kind."""
    found = []
    for name, kinds in (("rel", ("followed", "nofollow")), ("anchor", ("anchor",)), ("placement", ("placement",))):
        said = [(len(history) - place, look[name]) for place, look in enumerate(history) if look[name] is not None]
        if name == "rel":
            said = [(day, "nofollow" in [token.lower() for token in rel]) for day, rel in said]
        if name == "anchor":
            said = [(day, text.strip()) for day, text in said]
        for (_, before), (day, after) in pairwise(said):
            if before != after:
                found.append((day, kinds[after] if name == "rel" else kinds[0]))
    return sorted(found)


@settings(max_examples=60)
@given(looks)
def test_each_change_of_a_look_is_told_once(history: list[dict[str, Any]]) -> None:
    """In the list of links and in words, and `explain` tells the same; a repetition tells nothing."""
    events = [_event(1, days_ago=len(history) - place, **look) for place, look in enumerate(history)]
    log = Log()
    log.say(*(event for event in events for _ in range(2)))
    expected = _reference(history)
    with TemporaryDirectory() as folder:
        made = projected(log, database(Path(folder)))
        with made.reading() as connection:
            rows = list_links(connection, LinkFilter()).rows
        made.close()
    kinds = {"nofollow", "followed", "anchor", "placement"}
    told = [
        ((NOW_MS - int(change.at.timestamp() * 1_000)) // DAY_MS, change.change)
        for row in rows
        for change in row.changes
        if change.change in kinds
    ]
    assert sorted(told) == expected
    words = [new_looks(row) for row in rows]
    assert [len(each) for each in words] == [min(3, len(expected))] * len(rows)


def test_explain_tells_them() -> None:
    """The newest first, with the day and from what to what; in whatever order the events come."""
    events = [
        _event(1, days_ago=9, rel=[], anchor="Tides and\ntime", placement="content"),
        _event(1, days_ago=5, rel=["nofollow"]),
        _event(1, days_ago=3, anchor="here", placement="footer"),
    ]
    log = Log()
    log.say(*events)
    with TemporaryDirectory() as folder:
        made = projected(log, database(Path(folder)))
        with made.reading() as connection:
            [row] = list_links(connection, LinkFilter()).rows
        made.close()
    said = new_looks(row)
    assert [text.partition(" 20")[0] for text in said] == ["anchor rewritten", "moved", "turned nofollow"]
    assert any("“Tides and time” → “here”" in text for text in said)
    assert any("content → footer" in text for text in said)
    article, keys = Article(b"https://yours.example/a", Header(0), Segment()), ArticleKeys()
    seen = [observation_of(event, recorded_ms=NOW_MS, keys=keys) for event in events]
    article.apply([each for each in seen if isinstance(each, LinkObservation)], Counter())
    context = ExplanationContext(Policy(), events=[events[2], events[0], events[1]])
    explained = explain(article, context, previous=None, now_ms=NOW_MS, links=1)
    assert explained.links[0].new_looks == said


def test_publishers_that_turn_their_links_are_found() -> None:
    """Five links or more, lately, that are live and nofollow still; of any articles."""
    log = Log()
    for number in range(6):
        article = "abc"[number % 3]
        log.say(
            _event(number, days_ago=200, article=article, rel=[]),
            _event(number, days_ago=2, article=article, rel=["nofollow"]),
        )
    for site, turned, more in (
        ("few", 4, []),
        ("back", 6, [{"days_ago": 1, "rel": []}]),
        ("gone", 6, [{"days_ago": 1, "change": "lost"}]),
    ):
        for number in range(turned):
            log.say(
                _event(number, days_ago=200, site=site, rel=[]), _event(number, days_ago=2, site=site, rel=["nofollow"])
            )
            log.say(*(_event(number, site=site, **each) for each in more))
    log.say(SiteRecord("peer.example", role="peer"))
    for number in range(7):
        url_from, url_to = f"https://friends.example/{number}", f"https://peer.example/{number}"
        for days_ago, rel in ((200, []), (2, ["nofollow"])):
            log.say(LinkEvent(url_from, url_to, rel=rel, observed_at=to_datetime(NOW_MS - days_ago * DAY_MS)))
    for number in range(9):
        log.say(
            _event(number, days_ago=200, site="old", rel=[]), _event(number, days_ago=20, site="old", rel=["nofollow"])
        )
        log.say(_event(number, days_ago=2, site="always", rel=["nofollow"]))
    with TemporaryDirectory() as folder:
        made = projected(log, database(Path(folder)))
        with made.reading() as connection:
            [publisher] = turned_nofollow(connection, now_ms=NOW_MS)
            view = lost_view(connection, {}, now_ms=NOW_MS)
        made.close()
    assert (publisher.domain, publisher.links, publisher.articles) == ("p.example", 6, 3)
    assert publisher.first_at == publisher.last_at == to_datetime(NOW_MS - 2 * DAY_MS)
    assert view.turned == [publisher]
