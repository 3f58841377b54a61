"""Snoozes that are said and ended through the API and the page."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Final

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from flatline.api.access import Access
from flatline.api.asking import Asking
from flatline.api.queries import NoQuery, query_of
from flatline.api.writing import Write, Writing, body_of
from flatline.domain.snoozes import labels_of, snooze_id
from flatline.domain.time import to_datetime, to_ms
from flatline.readmodel.queries.alerts import find_alert
from flatline.readmodel.queries.snoozes import SnoozeRow, find_snooze
from flatline.schema import codec
from flatline.schema.limits import Name
from flatline.schema.link_event import Instant
from flatline.schema.snooze import WHY_CHARACTERS_MAX, Labels, Snooze
from flatline_connectors.ingest.answers import Refused

DAYS_MAX: Final = 366
SNOOZES: Final = "/api/v1/snoozes"
SNOOZE: Final = "/api/v1/snoozes/{id}"
OF_ALERT: Final = "/api/v1/alerts/{id}/snooze"
_NOBODY: Final = "somebody"
_NO_ALERTMANAGER: Final = "No Alertmanager is known here: set FLATLINE_ALERTMANAGER_URL for `flatline serve`."

Why = Annotated[str, Meta(min_length=1, max_length=WHY_CHARACTERS_MAX)]
By = Annotated[Name | None, Meta(description="Who says so; else the name of the token")]


class AlertSnoozeRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """An alert is not to be told for a while."""

    until: Annotated[Instant, Meta(description="At most 366 days from now")]
    why: Why
    by: By = None


class SnoozeRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Alerts with these labels are not to be told for a while."""

    labels: Labels
    until: Annotated[Instant, Meta(description="At most 366 days from now")]
    why: Why
    by: By = None


class SnoozeSaid(Struct, frozen=True):
    """Kafka has the record; Alertmanager follows within seconds."""

    id: str
    labels: dict[str, str]
    until: datetime
    is_ended: bool


WRITES: Final = (
    Write("post", SNOOZES, "Silence alerts for a while", NoQuery, SnoozeRequest, SnoozeSaid),
    Write("post", OF_ALERT, "Silence one alert for a while", NoQuery, AlertSnoozeRequest, SnoozeSaid),
    Write("delete", SNOOZE, "End a snooze", NoQuery, None, SnoozeSaid),
)


class Snoozing:
    """Takes snoozes. To say one again changes nothing; one of the same labels replaces the one before."""

    def __init__(
        self, writing: Writing, asking: Asking, access: Access, *, now_ms: Callable[[], int], has_alertmanager: bool
    ) -> None:
        """``now_ms``: of the clock by which Alertmanager goes."""
        self._writing = writing
        self._asking = asking
        self._access = access
        self._now_ms = now_ms
        self._has_alertmanager = has_alertmanager

    async def take(self, request: web.Request) -> msgspec.Struct:
        """Answer a request to silence alerts."""
        query_of(request, NoQuery)
        return await self.snooze(request, await body_of(request, SnoozeRequest))

    async def take_of_alert(self, request: web.Request) -> msgspec.Struct:
        """Answer a request to silence an alert."""
        query_of(request, NoQuery)
        asked = await body_of(request, AlertSnoozeRequest)
        alert = await self._asking.ask(partial(find_alert, number=request.match_info["id"]))
        if alert is None:
            raise Refused(404, "not_found", "There is no alert with this id.")
        await self._writing.check_bounds(request, alert.subject)
        labels = labels_of(alert.subject, alert.kind)
        return await self.snooze(request, SnoozeRequest(labels, asked.until, asked.why, asked.by))

    async def take_end(self, request: web.Request) -> msgspec.Struct:
        """Answer a request to end a snooze."""
        query_of(request, NoQuery)
        return await self.end(request.match_info["id"])

    async def snooze(self, request: web.Request, asked: SnoozeRequest) -> SnoozeSaid:
        """Silence alerts until an instant. Raises `Refused`."""
        if not self._has_alertmanager:
            raise Refused(409, "no_alertmanager", _NO_ALERTMANAGER)
        now = to_datetime(self._now_ms())
        if not now < asked.until <= now + timedelta(days=DAYS_MAX):
            raise Refused(422, "invalid_value", f"until: from now on, and at most {DAYS_MAX} days.")
        by = asked.by or self._access.name_of(request) or _NOBODY
        until = to_datetime(to_ms(asked.until))  # as the read model has it: what is said again is the same
        return await self._say(Snooze(asked.labels, until, asked.why, by, now))

    async def end(self, number: str) -> SnoozeSaid:
        """End a snooze. Raises `Refused`."""
        found = await self._asking.ask(partial(find_snooze, number=number))
        if found is None:
            raise Refused(404, "not_found", "There is no snooze with this id.")
        now = to_datetime(self._now_ms())
        return await self._say(Snooze(found.labels, found.until, found.why, found.by, now, is_ended=True))

    async def _say(self, snooze: Snooze) -> SnoozeSaid:
        number = snooze_id(snooze.labels)
        former = await self._asking.ask(partial(find_snooze, number=number))
        if former is None or _what_is_said(former) != _what_is_said(snooze):
            if former is not None:  # even if that was said by a clock that was ahead
                later = max(snooze.snoozed_at, former.snoozed_at + timedelta(milliseconds=1))
                snooze = msgspec.structs.replace(snooze, snoozed_at=later)
            value = codec.snoozes.encode(snooze)
            await self._writing.send(
                lambda producer, deliveries: producer.send_snooze(number.encode(), value, deliveries=deliveries)
            )
        return SnoozeSaid(number, snooze.labels, snooze.until, snooze.is_ended)


def _what_is_said(snooze: Snooze | SnoozeRow) -> tuple[object, ...]:
    return snooze.until, snooze.why, snooze.by, snooze.is_ended
