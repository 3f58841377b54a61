"""For connectors that can't tell which links are wanted unless they know the sites."""

from collections.abc import Callable, Sequence

from flatline_connectors.errors import ConnectorError
from flatline_connectors.runtime.connector import Resources
from flatline_connectors.sites import host_of


class SitesUnknown(ConnectorError):
    """Nothing says which links are wanted."""

    remedy = "Register a site of yours (`flatline sites add yours.example`), or name it: sites = ['yours.example']."


def known_sites(resources: Resources) -> Callable[[str], bool]:
    """Return whether an address is on a site of ours. Raise `SitesUnknown` where nobody said which these are."""
    if resources.is_ours is None:
        raise SitesUnknown("Nothing says which sites are yours.")
    return resources.is_ours


def own_hosts(named: Sequence[str], resources: Resources) -> list[str]:
    """Return the hosts of our sites in their order: those that the section names, else those of own site records.

    Raise `SitesUnknown` where there are none.
    """
    sites = named or [record.domain for record in resources.sites if record.role == "own"]
    if not sites:
        raise SitesUnknown("Nothing says which sites are yours.")
    return sorted({host_of(site) for site in sites})
