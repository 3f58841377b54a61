"""What connectors are lent: a fetcher that spends their budget, their sites, and their folders."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from flatline.domain.sites import Sites
from flatline.domain.urls.canonical import InvalidUrl, canonicalize
from flatline.kafka.cluster import KafkaCluster
from flatline.readmodel.registered_articles import registered_articles
from flatline.schema.topics import Topics
from flatline.settings import Settings
from flatline_connectors.errors import ConnectorError
from flatline_connectors.fetching.addresses import public_or_in
from flatline_connectors.fetching.connections import Connection
from flatline_connectors.fetching.exchange import ApiRequest
from flatline_connectors.fetching.fetcher import HTML, PAGE_BYTES_MAX, Fetcher, user_agent
from flatline_connectors.fetching.outcomes import Fetched, Validators
from flatline_connectors.own_site.registering import Registry
from flatline_connectors.runtime.connector import Resources, Spend
from flatline_connectors.runtime.section import Section
from flatline_connectors.sites import front_page, on_sites

WORK_FOLDER: Final = "connectors"


class NoContact(ConnectorError):
    """Pages can't be fetched, as nobody is named whom their owners can turn to."""

    remedy = "Set FLATLINE_FETCH_CONTACT to a URL or a mail address, or name sites in the connector's section."


class BudgetedFetcher:
    """The guarded fetcher, each of whose fetches spends one request."""

    def __init__(self, fetcher: Fetcher | None, spend: Spend) -> None:
        """``fetcher``: None where nobody is named as its contact."""
        self._fetcher = fetcher
        self._spend = spend

    async def fetch(
        self,
        url: str,
        *,
        accepted: frozenset[str] = HTML,
        bytes_max: int = PAGE_BYTES_MAX,
        validators: Validators | None = None,
        is_api: bool = False,
        request: ApiRequest | None = None,
    ) -> Fetched:
        """As of `Fetcher`. Raise `BudgetExhausted` and `NoContact`."""
        fetcher = await self._paid()
        return await fetcher.fetch(
            url, accepted=accepted, bytes_max=bytes_max, validators=validators, is_api=is_api, request=request
        )

    @asynccontextmanager
    async def events(self, url: str, *, last_event_id: str = "") -> AsyncIterator[Connection]:
        """As of `Fetcher`. Raise `BudgetExhausted` and `NoContact`."""
        async with (await self._paid()).events(url, last_event_id=last_event_id) as connection:
            yield connection

    @asynccontextmanager
    async def socket(self, url: str) -> AsyncIterator[Connection]:
        """As of `Fetcher`. Raise `BudgetExhausted` and `NoContact`."""
        async with (await self._paid()).socket(url) as connection:
            yield connection

    async def sitemaps(self, url: str) -> tuple[str, ...]:
        """As of `Fetcher`. Raise `BudgetExhausted` and `NoContact`."""
        return await (await self._paid()).sitemaps(url)

    async def _paid(self) -> Fetcher:
        if self._fetcher is None:
            raise NoContact("Nobody is named as the contact of whoever fetches pages here.")
        await self._spend("requests", 1)
        return self._fetcher


class Lender:
    """Lends to each connector what it needs, in one process."""

    def __init__(
        self, settings: Settings, topics: Topics, *, folder: Path, fetcher: Fetcher | None, sites: Sites
    ) -> None:
        """``folder``: that of connectors.toml. ``sites``: the site records, which may change."""
        self._cluster = settings.cluster
        self._topics = topics
        self._work_folder = settings.data_dir / WORK_FOLDER
        self._folder = folder
        self._fetcher = fetcher
        self._sites = sites

    def to(self, section: Section) -> Callable[[Spend], Resources]:
        """Return what lends to a connector."""

        def lend(spend: Spend) -> Resources:
            return Resources(
                fetcher=BudgetedFetcher(self._fetcher, spend),
                is_ours=self._is_ours(section),
                folder=self._folder,
                work_folder=self._work_folder / section.name,
                sites=self._sites,
                registry=self._registry,
                spend=spend,
            )

        return lend

    async def _registry(self) -> Registry:
        return await asyncio.to_thread(registry_of, self._cluster, self._topics)

    def _is_ours(self, section: Section) -> Callable[[str], bool] | None:
        if section.options.sites:
            return on_sites(section.options.sites)
        return self._is_on_own_site if any(site.role == "own" for site in self._sites) else None

    def _is_on_own_site(self, address: str) -> bool:
        try:
            site = self._sites.of(canonicalize(address))
        except InvalidUrl:
            return False
        return site is not None and site.role == "own"


def registry_of(cluster: KafkaCluster, topics: Topics) -> Registry:
    """Return what is registered, read from Kafka. Raises KafkaError."""
    registered = registered_articles(cluster, topics)
    return Registry(registered.records, frozenset(registered.removed), registered.moves.current)


@asynccontextmanager
async def fetcher_of(settings: Settings, sections: Sequence[Section], sites: Sites) -> AsyncIterator[Fetcher | None]:
    """Open the fetcher that some connectors share; None where nobody is named as its contact."""
    contact = _contact(settings, sections, sites)
    if contact is None:
        yield None
        return
    may_connect = public_or_in(settings.fetch_networks or "")
    async with Fetcher(user_agent(contact), may_connect=may_connect) as fetcher:
        yield fetcher


def _contact(settings: Settings, sections: Sequence[Section], sites: Sites) -> str | None:
    """Return whom owners of foreign pages can turn to: as the settings say, or else a site of ours."""
    named = [site for section in sections for site in section.options.sites]
    own = [record.domain for record in sites if record.role == "own"]
    site = next(iter([*named, *own]), None)
    return settings.fetch_contact or (site and front_page(site))
