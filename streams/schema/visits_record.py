"""The visits record, version 1: how many visits one referring domain sent to one article on one UTC day."""

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct

from flatline.schema.limits import SourceName, Url

VISITS_MAX = 1_000_000_000


class VisitsRecord(Struct, frozen=True, omit_defaults=True, gc=False):
    """All visits of a day. Sending it again changes nothing; of several for the same day the largest counts.

    Either ``domain`` or ``url_from`` is required; of both, ``domain`` counts.
    """

    url: Annotated[Url, Meta(description="Any address of the article; the key is its canonical form")]
    day: Annotated[date, Meta(description="The UTC day, such as 2026-01-31")]
    visits: Annotated[int, Meta(ge=0, le=VISITS_MAX, description="Of the whole day, as far as it is known by now")]
    domain: Annotated[
        Annotated[str, Meta(min_length=1, max_length=253)] | None,
        Meta(description="Who sent them: any host name of the referring site"),
    ] = None
    url_from: Annotated[Url | None, Meta(description="Or any page of that site")] = None
    version: Literal[1] = 1
    source: Annotated[SourceName | None, Meta(description="Who counted them")] = None

    def __post_init__(self) -> None:
        if self.domain is None and self.url_from is None:
            raise ValueError("Object missing required field `domain` or `url_from`")
