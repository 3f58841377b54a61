"""Which addresses are on sites of one's own."""

from collections.abc import Callable, Iterable
from functools import lru_cache

from flatline.domain.urls.canonical import InvalidUrl, canonicalize


def on_sites(sites: Iterable[str]) -> Callable[[str], bool]:
    """Return whether an address is on one of these hosts, or on a subdomain of one.

    Raise `flatline.domain.urls.canonical.InvalidUrl` for a site that is no host.
    """
    hosts = {canonicalize(f"https://{site.partition('://')[2] or site}").split("/")[2] for site in sites}

    @lru_cache(maxsize=65_536)
    def is_ours(address: str) -> bool:
        try:
            host = canonicalize(address).split("/")[2]
        except InvalidUrl:
            return False
        return any(host == ours or host.endswith(f".{ours}") for ours in hosts)

    return is_ours
