"""Files into histories: what counts, what is left out, and why."""

import json
from collections import Counter
from collections.abc import Iterable
from random import Random

import pytest

from flatline.backtest.histories import Histories
from flatline.domain.policy.ignore import Ignore, Ignored
from flatline.domain.time import DAY_MS, to_datetime
from flatline.schema.rejection import Reason
from flatline_connectors.files.lines import Line

NOW_MS = 20_000 * DAY_MS
EVENT = {"url_from": "https://a.example/1", "url_to": "https://b.example/", "occurred_at": "2020-01-01T00:00:00Z"}


def _read(events: Iterable[dict[str, object] | bytes], ignore: Ignore | None = None) -> Histories:
    histories = Histories()
    values = [event if isinstance(event, bytes) else json.dumps(event).encode() for event in events]
    lines = [Line(number, value) for number, value in enumerate(values, start=1)]
    histories.read_links("f", lines, recorded_ms=NOW_MS, ignored=Ignored.by(ignore) if ignore else None)
    return histories


def test_what_can_not_be_read_is_counted_with_its_reason() -> None:
    """Bad lines are no reason to stop; the first of each reason is named."""
    histories = _read([EVENT, b"{", {**EVENT, "url_to": "mailto:x"}, {**EVENT, "url_from": "/y"}, b"{}"])
    assert histories.rejected == {Reason.INVALID_JSON: 1, Reason.INVALID_URL: 2, Reason.MISSING_FIELD: 1}
    assert histories.rejected.examples[Reason.INVALID_URL][:2] == ("f", 3)
    assert [history.key for history in histories] == [b"https://b.example/"]
    assert histories.lines == 5


def test_events_without_a_time_are_left_out() -> None:
    """When they would be imported says nothing about their links."""
    histories = _read(
        [{**EVENT, "occurred_at": None}, {**EVENT, "occurred_at": None, "observed_at": EVENT["occurred_at"]}]
    )
    assert (histories.undated, len(histories)) == (1, 1)


def test_the_end_is_the_newest_event_and_never_ahead() -> None:
    """A clock that is wrong does not move the end of the histories into the future."""
    histories = _read([EVENT, {**EVENT, "url_from": "https://a.example/2", "occurred_at": "2999-01-01T00:00:00Z"}])
    assert histories.end_ms == NOW_MS


def _link_day(day: int, **fields: object) -> dict[str, object]:
    url_from = f"https://a.example/{day}"
    return {**EVENT, "url_from": url_from, "occurred_at": f"{to_datetime(day * DAY_MS):%Y-%m-%dT%H:%M:%SZ}", **fields}


def test_link_days_are_organic_first_gains() -> None:
    """Neither a link that is seen again nor an import nor a loss makes a link day; order and repeats don't matter."""
    events = [
        _link_day(15_000),
        _link_day(15_009, url_from="https://a.example/15000"),
        _link_day(15_020, discovery="import"),
        _link_day(15_030, change="lost"),
        _link_day(15_040),
    ]
    shuffled = events * 2
    Random(7).shuffle(shuffled)
    for order in (events, shuffled):
        (history,) = _read(order)
        assert history.link_days() == [15_000, 15_040]


@pytest.mark.parametrize(
    ("ignore", "left", "why"),
    [
        (Ignore(), 4, "nothing is ignored"),
        (Ignore(referring_domains=["a.example"]), 1, "the domain with all its hosts"),
        (Ignore(sources=["scraper"]), 3, "what the source reports"),
        (Ignore(rel=["Sponsored"]), 3, "a token of rel, whatever its case"),
        (Ignore(targets=["http://www.b.example/tag/"]), 3, "the address, however it is spelt, and all below it"),
        (Ignore(targets=["https://b.example/ta"]), 4, "but not what only begins alike"),
        (Ignore(targets=["https://b.example/"]), 0, "a whole site"),
    ],
)
def test_what_the_policy_ignores(ignore: Ignore, left: int, why: str) -> None:
    """Ignored events are as if they had never come, and are counted."""
    events = [
        {**EVENT, "source": "scraper"},
        {**EVENT, "url_from": "https://www.a.example/2", "rel": ["sponsored"]},
        {**EVENT, "url_from": "https://sub.a.example/3", "url_to": "https://b.example/tag/x?y=1"},
        {**EVENT, "url_from": "https://c.example/4"},
    ]
    histories = _read(events, ignore)
    assert sum(len(history.observations) for history in histories) == left, why
    assert histories.ignored == 4 - left


def test_articles_have_their_registration() -> None:
    """The tier that an article is registered with is that by which it is judged."""
    histories = _read([EVENT])
    records = [b'{"url": "http://www.b.example", "tier": 1, "series": "S"}', b'{"tier": 1}']
    lines = [Line(number, value) for number, value in enumerate(records, start=1)]
    histories.read_articles("articles", lines, recorded_ms=NOW_MS)
    (history,) = histories
    assert (history.registration.tier, history.registration.series) == (1, "S")
    assert histories.rejected == Counter({Reason.MISSING_FIELD: 1})
