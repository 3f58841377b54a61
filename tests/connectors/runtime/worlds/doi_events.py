"""Crossref's and DataCite's events: pages of two, of which the order is not that of time."""

from abc import ABC, abstractmethod
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec

from flatline_connectors.doi_events.connector import CROSSREF, DATACITE, CrossrefOptions, DataciteOptions
from flatline_connectors.fetching.outcomes import Fetched, Outcome, Validators
from flatline_connectors.runtime.connector import Resources
from flatline_connectors.sites import on_sites
from tests.connectors.runtime.worlds.fetching import ScriptedFetcher

HERE = "https://yours.example/a"
DOI = "https://doi.org/10.5555/a"
PAGE_EVENTS = 2
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class _Fetcher(ScriptedFetcher):
    """Answers with 404 to cursors that do not hold any more."""

    async def fetch(self, url: str, *, validators: Validators | None = None, **how: object) -> Fetched:
        try:
            return await super().fetch(url, validators=validators, **how)
        except LookupError:
            return Fetched(Outcome.NOT_FOUND, url, status=404)


class _DoiEventsWorld(ABC):
    """A registry. It gives cursors that hold while it has the same ``age``."""

    now = NOW
    address: str
    target: str

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.fetcher = _Fetcher({self.address: self._answer})
        self.events: list[dict[str, Any]] = []
        self.records: set[tuple[str, ...]] = set()
        self.age = 0
        for number in (3, 1, 4, 2, 5):
            self.mention(str(number), self.now - timedelta(days=number))
        self.mention("work", self.now - timedelta(days=9), subject="https://doi.org/10.5555/other")

    def mention(self, name: str, at: datetime, *, subject: str = "") -> None:
        """Mention the publication on a page."""
        self.events.append(self.event(name, subject or f"https://notes.example/{name}", at))
        if not subject:
            self.records.add(("link", f"https://notes.example/{name}", self.target, ""))

    def retracted(self, name: str) -> None:
        """Expect that a mention was a mistake."""
        self.records.add(("link", f"https://notes.example/{name}", self.target, "lost"))

    def page(self, events: list[dict[str, Any]], cursor: str) -> tuple[list[dict[str, Any]], str | None]:
        """Return the events of a page, and the cursor of the next one."""
        age, first = (int(part) for part in (cursor or f"{self.age}-0").split("-"))
        if age != self.age:
            raise LookupError
        following = f"{age}-{first + PAGE_EVENTS}" if first + PAGE_EVENTS < len(events) else None
        return events[first : first + PAGE_EVENTS], following

    @abstractmethod
    def event(self, name: str, subject: str, at: datetime) -> dict[str, Any]:
        """Return an event as the registry writes it."""

    @abstractmethod
    def answer(self, query: dict[str, str]) -> bytes:
        """Return a page. Raise LookupError for a cursor that does not hold any more."""

    def _answer(self, url: str) -> bytes:
        return self.answer({name: values[-1] for name, values in parse_qs(urlsplit(url).query).items()})

    def resources(self) -> Resources:
        """Return what is lent."""
        return Resources(self.fetcher, on_sites(["yours.example"]), self._folder, self._folder / "work")

    def add(self) -> None:
        """Mention it on another page."""
        self.mention("new", self.now - timedelta(hours=1))

    def malform(self) -> None:
        """Leave out of an event whom it is about."""
        self._spoil(self.events[1])
        self.records.discard(("link", "https://notes.example/1", self.target, ""))

    @abstractmethod
    def _spoil(self, event: dict[str, Any]) -> None: ...

    def limit_rate(self, retry_after_s: int) -> bool:
        """Be asked too often."""
        self.fetcher.retry_after_s = retry_after_s
        return True


class CrossrefWorld(_DoiEventsWorld):
    """Crossref: what is deleted is shown only to those who ask for updates."""

    kind = CROSSREF
    options = CrossrefOptions(prefixes=("10.5555",))
    address = "https://api.eventdata.crossref.org/v1/events"
    target = HERE

    def event(self, name: str, subject: str, at: datetime) -> dict[str, Any]:
        """Return an event."""
        return {
            "id": name,
            "subj_id": subject,
            "obj_id": DOI,
            "occurred_at": at.isoformat(),
            "timestamp": at.isoformat(),
            "subj": {"pid": subject, "title": f"Notes  {name}"},
            "obj": {"pid": DOI, "url": HERE},
            "relation_type_id": "mentions",
            "source_id": "web",
        }

    def delete(self, name: str) -> None:
        """Say that an event was a mistake."""
        (event,) = (event for event in self.events if event["id"] == name)
        event |= {"updated": "deleted", "updated-date": self.now.isoformat()}
        self.retracted(name)

    def answer(self, query: dict[str, str]) -> bytes:
        """Return a page."""
        assert query.get("obj-id.prefix") == "10.5555" or query.get("obj.url.domain") == "yours.example"
        found = self.events
        if since := query.get("from-updated-date"):
            found = [event for event in found if _day(event.get("updated-date")) >= date.fromisoformat(since)]
        else:
            found = [event for event in found if event.get("updated") != "deleted"]
        if since := query.get("from-collected-date"):
            found = [event for event in found if _day(event["timestamp"]) >= date.fromisoformat(since)]
        shown, cursor = self.page(found, query.get("cursor", ""))
        message = {"next-cursor": cursor, "total-results": len(found), "events": shown}
        return msgspec.json.encode({"status": "ok", "message-type": "event-list", "message": message})

    def _spoil(self, event: dict[str, Any]) -> None:
        del event["subj_id"]


class DataciteWorld(_DoiEventsWorld):
    """DataCite: it shows all, and knows no landing pages."""

    kind = DATACITE
    options = DataciteOptions(prefixes=("10.5555",))
    address = "https://api.datacite.org/events"
    target = DOI

    def event(self, name: str, subject: str, at: datetime) -> dict[str, Any]:
        """Return an event."""
        times = {"occurredAt": at.isoformat(), "timestamp": at.isoformat()}
        return {
            "id": name,
            "type": "events",
            "attributes": {"subjId": subject, "objId": DOI, "sourceId": "web", **times},
        }

    def delete(self, name: str) -> None:
        """Say that an event was a mistake."""
        (event,) = (event for event in self.events if event["id"] == name)
        event["attributes"] |= {"messageAction": "delete", "timestamp": self.now.isoformat()}
        self.retracted(name)

    def answer(self, query: dict[str, str]) -> bytes:
        """Return a page."""
        assert query["prefix"] == "10.5555"
        cursor = query["page[cursor]"]
        shown, following = self.page(self.events, "" if cursor == "1" else cursor)
        links = {"self": "…"}
        if following is not None:
            links["next"] = f"{self.address}?{urlencode({'page[cursor]': following, 'page[size]': '1000'})}"
        return msgspec.json.encode({"data": shown, "meta": {"total": len(self.events)}, "links": links})

    def _spoil(self, event: dict[str, Any]) -> None:
        del event["attributes"]["subjId"]


def _day(text: str | None) -> date:
    return datetime.fromisoformat(text).date() if text else date.min
