"""What `flatline articles fetch` does: it registers what a site's own sitemaps and feeds list."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import typer
from rich.console import Console

from flatline.cli.terminal_text import plain
from flatline.clock import clock_from
from flatline.connect.lending import registry_of
from flatline.domain.sites import Sites
from flatline.generations import serving_topics
from flatline.kafka.permissions import Role
from flatline.readmodel.latest_sites import latest_sites
from flatline.schema.rejection import Rejected
from flatline.settings import Settings
from flatline_connectors.errors import ConnectorError
from flatline_connectors.fetching.addresses import public_or_in
from flatline_connectors.fetching.fetcher import Fetcher, user_agent
from flatline_connectors.own_site.missing import Missing, look_for, not_listed
from flatline_connectors.own_site.reading import SiteListing, canonical_host, named_listings, read_site
from flatline_connectors.own_site.registering import (
    NoMove,
    Registrations,
    Registry,
    prepared,
    record_of_move,
    registrations,
)
from flatline_connectors.sending.articles import PreparedArticle
from flatline_connectors.sending.producer import Producer

_SHOWN_MAX: Final = 10


class SiteUnread(ConnectorError):
    """Listings of a site could not be read. The message names them, each with its reason."""

    remedy = "Correct what is named, or wait, and run the same again: what is registered already stays as it is."


@dataclass
class _Plan:
    """What was found, and the records that are to be sent."""

    site: SiteListing
    found: Registrations
    missing: Missing = field(default_factory=Missing)
    not_looked_at: int = 0
    records: list[PreparedArticle] = field(default_factory=list)
    rejected: dict[str, str] = field(default_factory=dict)


def fetch(addresses: list[str], settings: Settings, *, yes: bool, missing_max: int) -> None:
    """Read the listings, print what there is to register, and with ``yes`` register it. Raise `SiteUnread`.

    Without addresses, the listings are those of the site records. What could be read is registered even if other
    listings could not.
    """
    urls = [_url(address) for address in addresses]
    roles = (Role.READ_MODEL, Role.CONNECTORS) if yes else (Role.READ_MODEL,)
    topics = serving_topics(settings, *roles)
    sites = latest_sites(settings.cluster, topics)
    urls = _listings(urls, sites)
    registry = registry_of(settings.cluster, topics)
    plan = asyncio.run(_plan(urls, settings, registry, sites, missing_max))
    for line in _sentences(plan, yes=yes):
        typer.echo(line)
    if yes:
        with Producer(settings.cluster, topics, now_ms=clock_from(settings).now_ms) as producer:
            for record in plan.records:
                producer.send_article(record)
        typer.echo(f"{len(plan.records):,} sent.")
    elif plan.records:
        typer.echo("Nothing was changed: say --yes to do it.")
    if plan.site.failures:
        lines = [f"{plain(url)}: {plain(reason)}" for url, reason in plan.site.failures.items()]
        raise SiteUnread("\n".join(["Not all of it could be read:", *lines]))


def _url(address: str) -> str:
    url = address.strip()
    url = url if "://" in url else f"https://{url}"
    if not canonical_host(url):
        raise typer.BadParameter(f"{address!r} is no address of a site, a sitemap or a feed")
    return url


def _listings(urls: list[str], sites: Sites) -> list[str]:
    """Return what to read: for a site whose record names listings these, and without a URL those of all own sites."""
    if not urls:
        listings = [listing for record in sites if record.role == "own" for listing in record.listings]
        if not listings:
            raise typer.BadParameter("name a site: no site record has listings (`flatline sites add --listing URL`)")
        return list(dict.fromkeys(listings))
    return named_listings(urls, sites)


async def _plan(urls: list[str], settings: Settings, registry: Registry, sites: Sites, missing_max: int) -> _Plan:
    console = Console(stderr=True, highlight=False)
    contact = settings.fetch_contact or urls[0]
    may_connect = public_or_in(settings.fetch_networks or "")
    with console.status("…") as status:

        def progress(url: str) -> None:
            status.update(plain(url))

        async with Fetcher(user_agent(contact), may_connect=may_connect) as fetcher:
            site = await read_site(fetcher, urls, progress=progress)
            plan = _Plan(site, registrations(site.articles, registry, sites.series_of))
            candidates = not_listed(site, registry)
            plan.not_looked_at = max(0, len(candidates) - missing_max)
            looked_at = islice(candidates.items(), missing_max)
            plan.missing = await look_for(fetcher, looked_at, site.articles.keys(), progress=progress)
    _prepare(plan, registry)
    return plan


def _prepare(plan: _Plan, registry: Registry) -> None:
    """Make the records to send: what is new or completed, and what has moved."""
    changed = plan.found.new | plan.found.completed
    for old, url in list(plan.missing.moved.items()):
        try:
            record = record_of_move(old, url, plan.site.articles[url], registry)
        except NoMove as no_move:
            del plan.missing.moved[old]
            plan.missing.unclear[old] = str(no_move)
        else:
            changed[registry.current(url.encode())] = record
    for key, record in changed.items():
        try:
            plan.records.append(prepared(record))
        except Rejected as rejected:
            plan.rejected[key.decode()] = rejected.detail


def _sentences(plan: _Plan, *, yes: bool) -> Iterator[str]:
    found, missing = plan.found, plan.missing
    yield (
        f"{len(plan.site.articles):,} articles are listed: {len(found.new):,} new, {len(found.completed):,} with more "
        f"than is registered, {found.unchanged:,} registered already."
    )
    if not yes:
        yield from _shown([key.decode() for key in found.new])
    if plan.site.foreign:
        yield f"{plan.site.foreign:,} entries are on other hosts, and are left out."
    if found.removed:
        yield f"{found.removed:,} were removed, and stay so; `flatline articles add` brings one back."
    if missing.moved:
        yield f"{len(missing.moved):,} have moved:"
        yield from _shown([f"{old.decode()} -> {new}" for old, new in missing.moved.items()])
    if missing.gone:
        yield f"{len(missing.gone):,} registered articles are gone; `flatline articles remove` forgets them:"
        yield from _shown([key.decode() for key in missing.gone])
    if missing.there:
        yield f"{missing.there:,} registered articles are not listed, but are there."
    if missing.unclear:
        yield f"{len(missing.unclear):,} registered articles are not listed, and it is not clear what they are:"
        yield from _shown([f"{key.decode()}: {why}" for key, why in missing.unclear.items()])
    if plan.not_looked_at:
        yield f"{plan.not_looked_at:,} more registered articles are not listed; --missing-max looks at more of them."
    if plan.rejected:
        yield f"{len(plan.rejected):,} can't be registered:"
        yield from _shown([f"{url}: {why}" for url, why in plan.rejected.items()])


def _shown(lines: list[str]) -> Iterator[str]:
    yield from (f"  {plain(line)}" for line in lines[:_SHOWN_MAX])
    if len(lines) > _SHOWN_MAX:
        yield f"  … and {len(lines) - _SHOWN_MAX:,} more"
