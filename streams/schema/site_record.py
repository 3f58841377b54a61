"""The site record: whose a site is, and who is told about it. Compacted by domain; a tombstone removes it."""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from flatline.schema.limits import Name, Url

SITE_ALIASES_MAX: Final = 32
LISTINGS_MAX: Final = 64
SERIES_RULES_MAX: Final = 256
IGNORED_PARAMETERS_MAX: Final = 64

Domain = Annotated[str, Meta(min_length=1, max_length=253)]
# They become metric labels, routes and parts of file names: no characters that mean anything there.
Channel = Annotated[str, Meta(pattern=r"^\w[\w-]{0,79}(?!\n)$", description="A Slack channel, without #")]
TimeZone = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,3}(?!\n)$",
        max_length=64,
        description="A name of the IANA time zone database, such as Europe/Paris",
    ),
]

Parameter = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_.:~\[\]-]{1,100}\*?(?!\n)$",
        description="Name of a query parameter; with * at its end, of all whose names begin so",
    ),
]


class SeriesRule(Struct, frozen=True, gc=False):
    """Articles below a path belong to a series. Of several rules the one with the longest path holds."""

    path: Annotated[str, Meta(pattern=r"^/", max_length=1_000, description="/guides: itself and all below it")]
    series: Name


class SiteRecord(Struct, frozen=True, omit_defaults=True, gc=False):
    """A site that is known by name. Articles of sites without a record are counted and judged as well."""

    domain: Annotated[Domain, Meta(description="The site's host; its subdomains belong to it. The key")]
    version: Literal[1] = 1
    role: Annotated[
        Literal["own", "peer"], Meta(description="peer: articles are judged for comparison, and alert nobody")
    ] = "own"
    aliases: Annotated[
        list[Domain], Meta(max_length=SITE_ALIASES_MAX, description="Other hosts of the same site, with subdomains")
    ] = []
    owner: Annotated[Name | None, Meta(description="The team that is responsible for it")] = None
    channel: Channel | None = None
    time_zone: TimeZone | None = None
    listings: Annotated[list[Url], Meta(max_length=LISTINGS_MAX, description="Its sitemaps and feeds")] = []
    series: Annotated[
        list[SeriesRule],
        Meta(max_length=SERIES_RULES_MAX, description="For articles that are fetched from listings"),
    ] = []
    ignored_parameters: Annotated[
        list[Parameter],
        Meta(
            max_length=IGNORED_PARAMETERS_MAX,
            description="Query parameters that never name an article of the site: addresses with and without them are "
            "one article",
        ),
    ] = []
