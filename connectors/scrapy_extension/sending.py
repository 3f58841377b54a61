"""Compares looks with what is known of their pages and sends the difference, on a thread of its own."""

import logging
import queue
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from flatline.domain.urls.canonical import InvalidUrl, canonicalize
from flatline.schema import codec
from flatline_connectors.errors import ConnectorError
from flatline_connectors.scrapy_extension.look import Look, difference
from flatline_connectors.scrapy_extension.pages import Pages
from flatline_connectors.scrapy_extension.pushing import Pusher

_WAITING_MAX: Final = 1_000
_BATCH_EVENTS: Final = 500
_BATCH_WITHIN_S: Final = 5.0

_log = logging.getLogger(__name__)


class Sending:
    """Takes looks; a page's links are known only after Kafka has the events about them.

    After a failure nothing more is sent: what was not, the next run finds again. ``counts``: pages, and events that
    were accepted and rejected.
    """

    def __init__(self, pages_file: Path, pusher: Pusher) -> None:
        self.counts: Counter[str] = Counter()
        self.failure: Exception | None = None
        self._is_over = False  # the thread's own: it has met the end of the looks
        self._pages_file = pages_file
        self._pusher = pusher
        self._looks: queue.Queue[Look | None] = queue.Queue(_WAITING_MAX)
        self._thread = threading.Thread(target=self._run, name="flatline", daemon=True)
        self._thread.start()

    def take(self, look: Look) -> None:
        """Have a look compared and sent. Waits while too many others do."""
        if self.failure is None:
            self._looks.put(look)

    def finish(self) -> None:
        """Wait until everything is sent, or has failed."""
        if self._thread.is_alive():
            self._looks.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            pages = Pages(self._pages_file)
            try:
                self._send_all(pages)
            finally:
                pages.close()
        except Exception as error:  # noqa: BLE001 - whatever it is, the crawl goes on, and is told
            self.failure = error
            _log.error("Links are not sent any more: %s", error, exc_info=not isinstance(error, ConnectorError))
            while not self._is_over:  # whoever waits for room goes on
                self._is_over = self._looks.get() is None

    def _send_all(self, pages: Pages) -> None:
        events = list[bytes]()
        while not self._is_over:
            try:
                look = self._looks.get(timeout=_BATCH_WITHIN_S)
                self._is_over = look is None
            except queue.Empty:
                look = None
            if look is not None:
                self.counts["pages"] += 1
                events += self._compared(pages, look)
            if self._is_over or look is None or len(events) >= _BATCH_EVENTS:
                self._send(pages, events)
                events = []

    def _compared(self, pages: Pages, look: Look) -> Iterator[bytes]:
        """Yield the events that a look gives, and put what is known after it; none for an address that is none."""
        try:
            page = canonicalize(look.url)
        except InvalidUrl:
            return
        known = pages.get(page)
        found, now_known = difference(known, look)
        if now_known is not None and now_known != known:
            pages.put(page, now_known)
        yield from map(codec.links.encode, found)

    def _send(self, pages: Pages, events: list[bytes]) -> None:
        for start in range(0, len(events), _BATCH_EVENTS):
            pushed = self._pusher.push("/v1/links", events[start : start + _BATCH_EVENTS])
            self.counts["accepted"] += pushed.accepted
            self.counts["rejected"] += len(pushed.rejected)
            if pushed.rejected:
                _log.warning("%d events were rejected; the first: %s", len(pushed.rejected), pushed.rejected[0])
        pages.save()
