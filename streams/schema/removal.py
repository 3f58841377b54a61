"""The removal: an article is forgotten, up to a time. Compacted by article key."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from flatline.schema.limits import Url
from flatline.schema.link_event import Instant


class Removal(Struct, frozen=True, omit_defaults=True, gc=False):
    """Links first gained, visits of days and registrations until ``removed_at`` are not this article's any more."""

    url: Annotated[Url, Meta(description="Any address of the article; the key is its canonical form")]
    removed_at: Annotated[Instant, Meta(description="Not after the record's own time, to which it is clamped")]
    version: Literal[1] = 1
