"""The extension: it listens to what a spider fetches, and takes the links to our sites out of it.

The spider needs no change. `response_received` comes after redirects, so a response is the page itself.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

import orjson
from scrapy import Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.http import HtmlResponse, Request, Response
from scrapy.utils.project import data_path
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from flatline.domain.urls.canonical import InvalidUrl, canonicalize
from flatline_connectors.errors import ConnectorError
from flatline_connectors.files.exports.scrapy_items import placement_of
from flatline_connectors.scrapy_extension.look import Look, SeenLink
from flatline_connectors.scrapy_extension.pushing import Pusher
from flatline_connectors.scrapy_extension.sending import Sending
from flatline_connectors.sites import on_sites

_WORDS_MIN: Final = 50
_FINISHED: Final = "finished"


class FlatlineExtension:
    """Sends the links of one crawl. Settings: README.md."""

    def __init__(self, crawler: Crawler) -> None:
        """Raise `NotConfigured` if a setting is missing or wrong."""
        settings = crawler.settings
        sites = settings.getlist("FLATLINE_SITES")
        if not sites:
            raise NotConfigured("FLATLINE_SITES is missing: name your sites, as ['yours.example'].")
        try:
            self._is_ours = on_sites(sites)
        except InvalidUrl as error:
            raise NotConfigured(f"FLATLINE_SITES holds what is no host: {error}.") from None
        pusher = Pusher(settings.get("FLATLINE_INGEST_URL", "http://127.0.0.1:8710"), _token(settings))
        name = settings.get("FLATLINE_PAGES_FILE") or data_path("flatline.sqlite")
        self._pusher = pusher
        self._period_s = settings.getfloat("FLATLINE_PERIOD_S") or None
        self._sending = Sending(Path(name), pusher)
        self._stats = crawler.stats
        self._began_at = datetime.now(UTC)
        self._errors = 0

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the extension of a crawl, as Scrapy asks for it."""
        extension = cls(crawler)
        crawler.signals.connect(extension.response_received, signals.response_received)
        crawler.signals.connect(extension.spider_error, signals.spider_error)
        crawler.signals.connect(extension.spider_closed, signals.spider_closed)
        return extension

    def response_received(self, response: Response, request: Request, spider: Spider) -> None:  # noqa: ARG002
        """Look at a page."""
        if self._is_ours(response.url):
            return
        now = datetime.now(UTC)
        if isinstance(response, HtmlResponse):
            self._sending.take(look_at(response, self._is_ours, seen_at=now))
        else:
            self._sending.take(Look(response.url, response.status, now, is_read_well=False))

    def spider_error(self) -> None:
        """Count what a spider could not handle."""
        self._errors += 1

    def spider_closed(self, spider: Spider, reason: str) -> "Deferred[None]":  # noqa: ARG002
        """Send what is left, and say how far the crawl came if it came to its end."""
        return deferToThread(self._finish, reason)

    def _finish(self, reason: str) -> None:
        self._sending.finish()
        counts = self._sending.counts
        for name in ("pages", "accepted", "rejected"):
            self._stats.set_value(f"flatline/{name}", counts[name])
        if self._sending.failure is not None:
            self._stats.set_value("flatline/failure", str(self._sending.failure))
            return
        if reason != _FINISHED:
            return
        # What was there when the crawl began was seen; what came later may not have been.
        heartbeat: dict[str, Any] = {
            "seen_until": self._began_at,
            "pages_seen": counts["pages"],
            "errors": self._errors,
        }
        if self._period_s is not None:
            heartbeat["period_s"] = self._period_s
        try:
            self._pusher.push("/v1/heartbeats", [orjson.dumps(heartbeat)])
            self._stats.set_value("flatline/heartbeats", 1)
        except ConnectorError as error:
            self._stats.set_value("flatline/failure", str(error))


def _token(settings: Any) -> str:
    name = settings.get("FLATLINE_TOKEN_FILE")
    if not name:
        return os.environ.get("FLATLINE_TOKEN", "")
    try:
        return Path(name).read_text().strip()
    except OSError as error:
        raise NotConfigured(f"FLATLINE_TOKEN_FILE {name} can't be read: {error.strerror}.") from None


def look_at(response: HtmlResponse, is_ours: Callable[[str], bool], *, seen_at: datetime) -> Look:
    """Return what is to be seen on a page: its links to our sites, and whether it was read well."""
    links: dict[str, SeenLink] = {}
    found = response.css("a[href], area[href]")
    for selector in found:
        address = response.urljoin(selector.attrib["href"].strip())
        if not is_ours(address):
            continue
        try:
            target = canonicalize(address)
        except InvalidUrl:
            continue
        ancestors = [element.tag for element in selector.root.iterancestors() if isinstance(element.tag, str)]
        link = SeenLink(
            " ".join(" ".join(selector.css("::text").getall()).split()),
            tuple(sorted(set(selector.attrib.get("rel", "").lower().split()))),
            placement_of(reversed(ancestors)),
        )
        links[target] = _merged(links[target], link) if target in links else link
    is_read_well = bool(found) or len(" ".join(response.xpath("//body//text()").getall()).split()) >= _WORDS_MIN
    title = " ".join(response.css("title::text").get("").split())
    return Look(response.url, response.status, seen_at, is_read_well=is_read_well, title=title, links=links)


def _merged(one: SeenLink, other: SeenLink) -> SeenLink:
    """Return several links to a page as one: followed if one is, with the first text."""
    rel = tuple(sorted(set(one.rel) & set(other.rel)))
    return SeenLink(one.anchor or other.anchor, rel, one.placement or other.placement)
