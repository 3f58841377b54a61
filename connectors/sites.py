"""Which addresses are on sites of one's own."""

from collections.abc import Callable, Collection, Iterable
from functools import lru_cache

from flatline.domain.urls.canonical import InvalidUrl, canonicalize


def front_page(site: str) -> str:
    """Return the canonical URL of a site that is named by its host, or by a URL.

    Raise `flatline.domain.urls.canonical.InvalidUrl` for what is no host.
    """
    return canonicalize(f"https://{site.partition('://')[2] or site}")


def host_of(site: str) -> str:
    """Return the canonical host of a site that is named by its host, or by a URL. Raise as `front_page`."""
    return front_page(site).split("/")[2]


def is_within(host: str, hosts: Collection[str]) -> bool:
    """Whether a host is one of these, or a subdomain of one; all of them canonical."""
    return any(host == each or host.endswith(f".{each}") for each in hosts)


def on_sites(sites: Iterable[str]) -> Callable[[str], bool]:
    """Return whether an address is on one of these hosts, or on a subdomain of one.

    Raise `flatline.domain.urls.canonical.InvalidUrl` for a site that is no host.
    """
    hosts = {host_of(site) for site in sites}

    @lru_cache(maxsize=65_536)
    def is_ours(address: str) -> bool:
        try:
            host = canonicalize(address).split("/")[2]
        except InvalidUrl:
            return False
        return is_within(host, hosts)

    return is_ours
