"""Labels that say whom an alert is for, by the record of a site."""

from typing import Final

from flatline.domain.sites import Sites
from flatline.schema.group import GroupKind, GroupVerdict
from flatline.schema.site_record import SiteRecord

RESPONSIBLE: Final = ("owner", "channel", "time_zone")


def responsible(site: SiteRecord | None) -> tuple[str, str, str]:
    """Return the values of these labels; empty where nothing is known."""
    if site is None:
        return "", "", ""
    return site.owner or "", site.channel or "", site.time_zone or ""


def site_of(group: GroupVerdict, sites: Sites) -> SiteRecord | None:
    """Return the record of a group that is a site; other groups may have articles of several."""
    return sites.at(group.name) if group.kind is GroupKind.SITE else None
