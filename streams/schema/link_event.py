"""The link event, version 1: somebody saw a link appear on a page, or vanish from it, or no longer finds it."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from flatline.schema.limits import REL_TOKENS_MAX, Name, SourceName, Text, Title, Token, Url
from flatline.schema.lost_reason import LOST_REASONS, is_not_seen

Instant = Annotated[datetime, Meta(tz=True, description="RFC 3339 with an offset, such as 2026-01-31T12:00:00Z")]


class Page(Struct, frozen=True, omit_defaults=True, gc=False):
    """The referring page, as far as the producer knows it."""

    title: Title | None = None
    author: Name | None = None
    published_at: Instant | None = None
    type: Name | None = None
    language: Token | None = None


class LinkEvent(Struct, frozen=True, omit_defaults=True, gc=False):
    """A link gained, lost or suspected of being lost. Unknown fields are ignored; only the two URLs are required.

    A link is the pair of canonical ``url_from`` and canonical ``url_to``: seeing it again changes nothing.
    """

    url_from: Annotated[Url, Meta(description="The referring page: an http(s) URL")]
    url_to: Annotated[Url, Meta(description="The target, the article: an http(s) URL")]
    version: Annotated[Literal[1], Meta(description="Version of this contract")] = 1
    id: Annotated[Name | None, Meta(description="The producer's own identifier, for tracing")] = None
    change: Annotated[
        Literal["gained", "lost", "suspected"],
        Meta(description="suspected: somebody thinks that it is gone. That changes no count until a second look"),
    ] = "gained"
    occurred_at: Annotated[Instant | None, Meta(description="When it appeared on, or vanished from, the page")] = None
    observed_at: Annotated[Instant | None, Meta(description="When somebody saw that")] = None
    discovery: Annotated[
        Literal["link_found", "page_found", "import"],
        Meta(description="page_found and import count, but are no sign of life: their dates are not the link's"),
    ] = "link_found"
    anchor: Text | None = None
    context: Annotated[Text | None, Meta(description="Text around the link")] = None
    rel: Annotated[
        Annotated[list[Token], Meta(max_length=REL_TOKENS_MAX)] | None,
        Meta(description="Tokens of the rel attribute; an empty list says that there are none"),
    ] = None
    placement: Literal["content", "nav", "footer", "sidebar", "comment"] | None = None
    page: Page | None = None
    authority: Annotated[float, Meta(ge=0, le=100)] | None = None
    lost_reason: Annotated[
        Name | None,
        Meta(description=f"{', '.join(LOST_REASONS)}; or why nobody could look, such as timeout: then it is suspected"),
    ] = None
    flags: Annotated[
        list[Token],
        Meta(
            max_length=16,
            description="What a tool says of it: spam; sitewide; floor, where there are more links than events; and, "
            "where the link is no text, image, redirect, canonical, alternate, rss, form, frame or meta",
        ),
    ] = []
    source: Annotated[SourceName | None, Meta(description="The connector instance that reports it")] = None

    @property
    def is_suspicion(self) -> bool:
        """Whether it says no more than that the link may be gone; also a loss for a reason that means "not seen"."""
        if self.change == "lost":
            return self.lost_reason is not None and is_not_seen(self.lost_reason)
        return self.change == "suspected"
