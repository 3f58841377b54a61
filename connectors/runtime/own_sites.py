"""For connectors that can't tell which links are wanted unless they know the sites."""

from collections.abc import Callable

from flatline_connectors.errors import ConnectorError
from flatline_connectors.runtime.connector import Resources


class SitesUnknown(ConnectorError):
    """Nothing says which links are wanted."""

    remedy = "Register a site of yours (`flatline sites add yours.example`), or name it: sites = ['yours.example']."


def known_sites(resources: Resources) -> Callable[[str], bool]:
    """Return whether an address is on a site of ours. Raise `SitesUnknown` where nobody said which these are."""
    if resources.is_ours is None:
        raise SitesUnknown("Nothing says which sites are yours.")
    return resources.is_ours
