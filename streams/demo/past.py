"""Registers articles and imports the links from before the watch begins, as `flatline links import` does."""

from collections.abc import Callable
from time import monotonic
from typing import Final

from flatline.clock import clock_from
from flatline.demo.errors import DemoError
from flatline.demo.play import Play
from flatline.generations import serving_topics
from flatline.local.stack import LocalStack
from flatline.readmodel.latest_verdicts import waiting_records
from flatline_connectors.files.importer import ImportCounts, say_finished, take
from flatline_connectors.files.lines import LineFile
from flatline_connectors.sending import articles, links
from flatline_connectors.sending.producer import Producer

# So long without any progress.
_PATIENCE_S: Final = 300
_ASK_EVERY_S: Final = 0.2


def import_past(play: Play, stack: LocalStack, *, say: Callable[[str], None]) -> ImportCounts:
    """Import the past, wait until the workers have applied it, and return what became of its lines.

    ``say`` gets the progress. Raise `DemoError` if no worker applies them, and the errors of the import.
    """
    settings = stack.settings
    topics = serving_topics(settings)
    tally = ImportCounts()
    with Producer(settings.cluster, topics, now_ms=clock_from(settings).now_ms) as producer:
        if play.articles:
            records = LineFile(play.articles)
            for _ in take(records, ImportCounts(), producer, prepare=articles.prepare, send=producer.send_article):
                pass
        events = LineFile(play.links)
        for _ in take(events, tally, producer, prepare=links.prepare, send=producer.send_link, as_lines=play.past):
            say(f"importing the history: {tally.lines:,} link events")
        producer.flush()
        say_finished(producer)
    waited, moved_s = 0, monotonic()
    while waiting := waiting_records(settings.cluster, topics):
        if waiting != waited:
            waited, moved_s = waiting, monotonic()
        elif monotonic() > moved_s + _PATIENCE_S:
            logs = settings.data_dir / "logs"
            raise DemoError(f"{waiting:,} records still wait for the worker. Its log is in {logs}.")
        say(f"{waiting:,} records wait for the worker")
        stack.wait(_ASK_EVERY_S)
    return tally
