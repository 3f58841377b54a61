"""Keeps Alertmanager's silences as the snoozes say. Any number of processes may do so at the same time."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import aiohttp
import msgspec
from msgspec import Struct

from flatline.domain.time import to_datetime, to_ms
from flatline.readmodel.queries.snoozes import SnoozeRow
from flatline_connectors.ingest.answers import Refused

EVERY_S: Final = 5.0
_TIMEOUT: Final = aiohttp.ClientTimeout(total=10)
_NAMED: Final = re.compile(r"\[flatline ([0-9a-f]{32}) ([0-9]{1,15})\]\s*$")

log = logging.getLogger("flatline.snoozes")


class _Status(Struct):
    state: str


class Silence(Struct, rename="camel"):
    """A silence as Alertmanager has it."""

    id: str
    status: _Status
    comment: str
    ends_at: datetime

    @property
    def named(self) -> tuple[str, int] | None:
        """The id of the snooze that it is made for, and when that was said, in ms; None where somebody else made it."""
        found = _NAMED.search(self.comment)
        return None if found is None else (found[1], int(found[2]))


class Changes(NamedTuple):
    """What is to be done: snoozes that lack a silence, and silences that are not to be, by their ids."""

    missing: Sequence[SnoozeRow]
    expired: Sequence[str]


def changes(snoozes: Iterable[SnoozeRow], silences: Iterable[Silence], *, now_ms: int) -> Changes:
    """Return what makes the silences those that the snoozes say.

    Of several silences for one snooze that with the first id stays, whoever looks. What is of a snooze that is not
    known here, or of one that was said later, stays: another process knows more.
    """
    found: dict[str, list[Silence]] = {}
    for silence in silences:
        if silence.named is not None and silence.status.state != "expired":
            found.setdefault(silence.named[0], []).append(silence)
    missing, expired = [], []
    for snooze in snoozes:
        said_ms, own = to_ms(snooze.snoozed_at), found.get(snooze.id, [])
        if any(_said_ms(silence) > said_ms for silence in own):
            continue
        is_wanted = not snooze.is_ended and to_ms(snooze.until) > now_ms
        right = sorted(silence.id for silence in own if is_wanted and _said_ms(silence) == said_ms)
        expired += [silence.id for silence in own if silence.id not in right[:1]]
        if is_wanted and not right:
            missing.append(snooze)
    return Changes(missing, expired)


def _said_ms(silence: Silence) -> int:
    return silence.named[1] if silence.named else 0


class Silences:
    """Keeps the silences of an Alertmanager as the snoozes say.

    ``snoozes``  returns those that are known; raises `Refused` where that can't be said
    """

    def __init__(
        self, url: str, snoozes: Callable[[], Awaitable[Sequence[SnoozeRow]]], *, now_ms: Callable[[], int]
    ) -> None:
        """``now_ms``: of the clock by which Alertmanager goes."""
        self._url = url.rstrip("/")
        self._snoozes = snoozes
        self._now_ms = now_ms
        self._is_answering = True

    async def run(self) -> None:
        """Do so for ever. An Alertmanager that does not answer is asked again."""
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as asking:  # noqa: TID251 - our own Alertmanager
            while True:
                try:
                    await self.reconcile(asking)
                    self._is_answering = True
                except Refused:
                    log.debug("the snoozes are not known yet")
                except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as error:
                    if self._is_answering:
                        log.warning("Alertmanager at %s does not take snoozes, trying again: %s", self._url, error)
                    self._is_answering = False
                await asyncio.sleep(EVERY_S)

    async def reconcile(self, asking: aiohttp.ClientSession) -> None:  # noqa: TID251 - our own Alertmanager
        """Do so once. Raises aiohttp.ClientError, TimeoutError and `Refused`."""
        snoozes = await self._snoozes()
        async with asking.get(f"{self._url}/api/v2/silences") as answer:
            answer.raise_for_status()
            silences = msgspec.json.decode(await answer.read(), type=list[Silence])
        todo = changes(snoozes, silences, now_ms=self._now_ms())
        for snooze in todo.missing:
            async with asking.post(f"{self._url}/api/v2/silences", json=self._silence(snooze)) as answer:
                answer.raise_for_status()
        for number in todo.expired:
            async with asking.delete(f"{self._url}/api/v2/silence/{number}") as answer:
                await answer.read()  # another process may have done it

    def _silence(self, snooze: SnoozeRow) -> dict[str, Any]:
        starts_at = to_datetime(self._now_ms())
        return {
            "matchers": list(_matchers(snooze.labels)),
            "startsAt": starts_at.isoformat(),
            "endsAt": max(snooze.until, starts_at + timedelta(seconds=1)).isoformat(),
            "createdBy": snooze.by,
            "comment": f"{snooze.why} [flatline {snooze.id} {to_ms(snooze.snoozed_at)}]",
        }


def _matchers(labels: dict[str, str]) -> Iterator[dict[str, object]]:
    for name, value in sorted(labels.items()):
        yield {"name": name, "value": value, "isRegex": False, "isEqual": True}
