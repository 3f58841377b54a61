"""The connector: asks which links are known, looks at their pages, and says what it found."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from flatline.domain.urls.canonical import InvalidUrl, canonicalize
from flatline.domain.urls.fingerprints import lists_others
from flatline.schema.limits import RECHECK_SOURCE, SourceName, Url
from flatline_connectors.errors import ConnectorError
from flatline_connectors.fetching.outcomes import Fetched, Outcome
from flatline_connectors.recheck.events import events_of
from flatline_connectors.recheck.judging import Judgement, judge
from flatline_connectors.recheck.known_links import CursorExpired, KnownLink, KnownLinks, listings
from flatline_connectors.recheck.looks import Look, after_look
from flatline_connectors.runtime.config import Budget, ConnectorOptions, Duration, Secret, duration_s
from flatline_connectors.runtime.connector import (
    ConnectorKind,
    FoundRecord,
    PollResult,
    Resources,
    found_link,
)
from flatline_connectors.runtime.outcomes import BudgetExhausted

AT_ONCE: Final = 5
"""Pages that are fetched at the same time, of different hosts."""
OWN_REDIRECTS_MAX: Final = 3
_RUN_MAX: Final = timedelta(hours=1)
_FORGOTTEN: Final = timedelta(days=60)
_BUCKET_DIGITS: Final = 2


class RecheckOptions(ConnectorOptions, frozen=True, kw_only=True, tag="recheck"):
    """Where the known links are, and how often to look at them."""

    server: Annotated[Url, Meta(description="Where `flatline serve` is")] = "http://127.0.0.1:8709"
    token: Annotated[Secret | None, Meta(description="A token of its tokens file; it needs only to read")] = None
    losses: Annotated[Duration, Meta(description="How old a loss may be that is looked into")] = "90d"
    again: Annotated[Duration, Meta(description="After how long a live link is looked at again")] = "30d"
    source: Annotated[SourceName | None, Meta(description="Source of its events")] = RECHECK_SOURCE
    budget: Budget = Budget(requests=1_000)


class RecheckState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which list is gone through, and what is known of links that are not settled.

    ``looks``   by the first two digits of their keys, and then by the rest
    """

    version: Literal[1] = 1
    began_at: datetime | None = None
    listing: str = ""
    cursor: str | None = None
    looks: dict[str, dict[str, Look]] = {}

    def look(self, link: KnownLink) -> Look | None:
        """Return what is known of a link."""
        return self.looks.get(link.key[:_BUCKET_DIGITS], {}).get(link.key[_BUCKET_DIGITS:])


class Recheck:
    """One poll looks at the pages of up to twenty links."""

    def __init__(self, options: RecheckOptions, resources: Resources) -> None:
        """Raise `ConnectorError` where its own losses were to be confirmed."""
        if options.confirm_losses:
            raise ConnectorError(
                "confirm_losses leaves losses to recheck to confirm, so recheck itself can't have it.",
                remedy="Take it out of the section of recheck; it belongs to those of vendors.",
            )
        self._options = options
        self._resources = resources
        token = None if options.token is None else options.token.read(resources.folder)
        self._links = KnownLinks(resources.own_api, options.server, token)

    async def poll(self, state: RecheckState, now: datetime) -> PollResult[RecheckState]:
        """Look at some pages. Raise `PollFailed`, OSError and `BudgetExhausted`."""
        state = _begun(state, now)
        assert state.began_at is not None
        lists = listings(
            state.began_at,
            losses=timedelta(seconds=duration_s(self._options.losses)),
            again=timedelta(seconds=duration_s(self._options.again)),
        )
        name = state.listing if state.listing in lists else next(iter(lists))
        try:
            page = await self._links.page(lists[name], state.cursor)
        except CursorExpired:
            return PollResult([], replace(state, began_at=now, listing=name, cursor=None), is_complete=False)
        within = [link for link in page.rows if not lists[name].is_beyond(link)]
        due = [link for link in within if self._is_due(link, state.look(link), now)]
        fetched, is_all = await self._fetched(dict.fromkeys(link.url_from for link in due))
        looked = [(link, fetched[link.url_from]) for link in due if link.url_from in fetched]
        records, looks = await self._looked(looked, state, now)
        state = replace(state, listing=name, looks=_with(state.looks, looks))
        if not is_all or len(looks) < len(looked):  # the next run begins with what is most urgent then
            return PollResult(records, replace(state, began_at=None, listing="", cursor=None), is_complete=False)
        if page.next is not None and len(within) == len(page.rows):
            return PollResult(records, replace(state, cursor=page.next), is_complete=False)
        following = [*lists, ""][list(lists).index(name) + 1]
        if following:
            return PollResult(records, replace(state, listing=following, cursor=None), is_complete=False)
        return PollResult(records, RecheckState(looks=state.looks), is_complete=True)

    def _is_due(self, link: KnownLink, look: Look | None, now: datetime) -> bool:
        if self._resources.is_ours is not None and not self._resources.is_ours(link.article):
            return False
        if look is not None and look.next_at > now:
            return False
        if lists_others(link.url_from):  # from there, links wander off: to the contract that is no loss
            return False
        return not link.is_confirmed_lost(self._source)

    @property
    def _source(self) -> str:
        return self._options.source or RECHECK_SOURCE

    async def _fetched(self, urls: Iterable[str]) -> tuple[dict[str, Fetched], bool]:
        """Return pages by their addresses, and whether these are all: the budget may end before."""
        turns = asyncio.Semaphore(AT_ONCE)

        async def fetch(url: str) -> Fetched | BudgetExhausted:
            async with turns:
                try:
                    return await self._resources.fetcher.fetch(url)
                except BudgetExhausted as exhausted:
                    return exhausted

        wanted = list(urls)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(fetch(url)) for url in wanted]
        found: dict[str, Fetched] = {}
        exhausted: BudgetExhausted | None = None
        for url, task in zip(wanted, tasks, strict=True):
            match result := task.result():
                case Fetched():
                    found[url] = result
                case BudgetExhausted():
                    exhausted = result
        if exhausted is not None and not found:
            raise exhausted
        return found, exhausted is None

    async def _looked(
        self, looked: Sequence[tuple[KnownLink, Fetched]], state: RecheckState, now: datetime
    ) -> tuple[list[FoundRecord], dict[str, Look]]:
        records: list[FoundRecord] = []
        looks: dict[str, Look] = {}
        for link, page in looked:
            try:
                judgement = await self._judged(link, page)
            except BudgetExhausted:
                continue
            verdict, why, looks[link.key] = after_look(judgement, state.look(link), now)
            events = events_of(link, verdict, why, judgement, now, source=self._source)
            records += [found_link(event, url=page.url) for event in events]
        return records, looks

    async def _judged(self, link: KnownLink, page: Fetched) -> Judgement:
        targets = [*dict.fromkeys((_canonical(link.url_to), link.article))]
        judgement = await asyncio.to_thread(judge, page, link.url_from, targets, is_ours=self._resources.is_ours)
        if not judgement.others:
            return judgement
        current = (await self._resources.registry()).current
        article = current(link.article.encode())
        for key in judgement.others:
            if current(key.encode()) == article or await self._leads_to(key, judgement, targets):
                return await asyncio.to_thread(judge, page, link.url_from, [key], is_ours=self._resources.is_ours)
        return judgement

    async def _leads_to(self, key: str, judgement: Judgement, targets: Sequence[str]) -> bool:
        """Whether an address of ours, one of the first few of a page, is redirected to the article."""
        if key not in list(judgement.others)[:OWN_REDIRECTS_MAX]:
            return False
        page = await self._resources.fetcher.fetch(judgement.others[key].url)
        return page.outcome is Outcome.FETCHED and _canonical(page.url) in targets


def _begun(state: RecheckState, now: datetime) -> RecheckState:
    """Return a state of a run that is under way: one that began long ago begins anew, as there may be newer losses."""
    if state.began_at is not None and now - state.began_at < _RUN_MAX:
        return state
    looks = {
        bucket: kept
        for bucket, known in state.looks.items()
        if (kept := {key: look for key, look in known.items() if not _is_over(look, now)})
    }
    return RecheckState(began_at=now, looks=looks)


def _is_over(look: Look, now: datetime) -> bool:
    return (look.next_at <= now and not look.why) or look.next_at < now - _FORGOTTEN


def _with(known: Mapping[str, dict[str, Look]], looks: Mapping[str, Look]) -> dict[str, dict[str, Look]]:
    after = dict(known)
    for key, look in looks.items():
        bucket = key[:_BUCKET_DIGITS]
        after[bucket] = {**after.get(bucket, {}), key[_BUCKET_DIGITS:]: look}
    return after


def _canonical(url: str) -> str:
    try:
        return canonicalize(url)
    except InvalidUrl:
        return url


KIND: Final = ConnectorKind(
    options=RecheckOptions,
    state=RecheckState,
    open=Recheck,
    about="Whether known links are still there: looks at their pages.",
    parts="looks",
    unseen="links that nobody has reported",
)
