"""A simulated history: some articles gain links to its end, some stopped in time to be called silent after it."""

from collections.abc import Iterator

import orjson

from flatline.domain.time import DAY_MS, to_datetime
from flatline_connectors.sending import articles, links
from flatline_connectors.sending.producer import Producer

SOURCE = "north"
SILENT = [f"yours.example/silent-{number}" for number in range(4)]
STEADY = [f"yours.example/steady-{number}" for number in range(12)]
# Days before the end of the history.
_BEGAN = 500
_STOPPED = 90
# On each day of the month another article: none has a series, an author or a strategy that would speak in its place.
_GAP_DAYS = 12


def send_past(producer: Producer, *, end_day: int) -> None:
    """Register all articles and send what was known of them at the beginning of a UTC day."""
    for article in (*SILENT, *STEADY):
        producer.send_article(articles.prepare(orjson.dumps({"url": f"https://{article}", "tier": 1})))
    send_links(producer, from_day=end_day - _BEGAN, until_day=end_day, end_day=end_day)


def send_links(producer: Producer, *, from_day: int, until_day: int, end_day: int) -> None:
    """Send the links that come on the UTC days of a half-open range, in a history of which the past ends on a day."""
    for line in _lines(range(from_day, until_day), end_day - _STOPPED):
        producer.send_link(links.prepare(line))
    producer.flush()


def _lines(days: range, stopped_day: int) -> Iterator[bytes]:
    for day in days:
        for number, article in enumerate((*SILENT, *STEADY)):
            if (day + number) % _GAP_DAYS == 0 and (article in STEADY or day < stopped_day):
                instant = to_datetime(day * DAY_MS + number)
                yield orjson.dumps(
                    {
                        "url_from": f"https://site-{number}-{day}.example/",
                        "url_to": f"https://{article}",
                        "source": SOURCE,
                        "occurred_at": instant,
                        "observed_at": instant,
                    }
                )
