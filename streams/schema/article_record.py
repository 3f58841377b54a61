"""The article record: what a team registers about a piece of its own. Compacted by key; a tombstone removes it."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from flatline.schema.limits import Name, Title, Url
from flatline.schema.link_event import Instant

ALIASES_MAX = 32


class ArticleRecord(Struct, frozen=True, omit_defaults=True, gc=False):
    """A registered article. Unregistered ones are counted and judged as well, without a title or a series."""

    url: Annotated[Url, Meta(description="Any address of the article; the key is its canonical form")]
    version: Literal[1] = 1
    title: Title | None = None
    published_at: Instant | None = None
    author: Name | None = None
    series: Name | None = None
    strategy: Name | None = None
    tier: Annotated[Literal[1, 2, 3], Meta(description="1 is watched first")] = 2
    aliases: Annotated[
        list[Url], Meta(max_length=ALIASES_MAX, description="Its former addresses: what is known of them is its own")
    ] = []
