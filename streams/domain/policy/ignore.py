"""Which link events a team wants left out."""

from typing import Annotated, Self

from msgspec import Meta, Struct

from flatline.domain.urls.canonical import InvalidUrl, article_key, canonicalize, canonicalize_field, referring_domain
from flatline.schema.limits import SourceName, Token, Url
from flatline.schema.link_event import LinkEvent


class Ignore(Struct, frozen=True, forbid_unknown_fields=True):
    """Link events that are left out as they come, gains and losses alike, as if nobody had seen them."""

    referring_domains: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=253)]],
        Meta(description="Referring domains whose links are ignored, for example your own sites or scrapers."),
    ] = []
    sources: Annotated[list[SourceName], Meta(description="Sources that are ignored.")] = []
    targets: Annotated[
        list[Url], Meta(description="Addresses on your sites that are not articles, including everything below them.")
    ] = []
    rel: Annotated[list[Token], Meta(description="Values of rel whose links are ignored, for example sponsored.")] = []

    def __post_init__(self) -> None:
        """Raise ValueError for what no event could match."""
        for domain in self.referring_domains:
            try:
                whole = referring_domain(canonicalize(f"https://{domain}/"))
            except InvalidUrl:
                raise ValueError(f"referring_domains has {domain!r}, which is no domain name") from None
            if whole != domain.lower():
                raise ValueError(f"referring_domains has {domain!r}: links count for the whole of {whole!r}")
        for target in self.targets:
            try:
                canonicalize(target)
            except InvalidUrl as error:
                raise ValueError(f"targets has {target!r}, which is {error}") from None


class Ignored:
    """Tells which link events are left out: by what they say alone, so that order and repeats don't matter."""

    __slots__ = ("_domains", "_rel", "_sources", "_targets")

    def __init__(self, ignore: Ignore) -> None:
        self._domains = {domain.lower() for domain in ignore.referring_domains}
        self._sources = set(ignore.sources)
        self._rel = {token.lower() for token in ignore.rel}
        self._targets = tuple(
            canonicalize(target).removesuffix("/").encode() + end for target in ignore.targets for end in (b"/", b"?")
        )

    @classmethod
    def by(cls, ignore: Ignore) -> Self | None:
        """Return what tells; None where nothing is ignored."""
        return cls(ignore) if ignore != Ignore() else None

    def covers(self, event: LinkEvent) -> bool:
        """Whether an event is left out. Raises `Rejected` for one whose URLs can't be read."""
        if event.source in self._sources:
            return True
        if self._rel and any(token.lower() in self._rel for token in event.rel or ()):
            return True
        if self._domains and referring_domain(canonicalize_field(event.url_from, field="url_from")) in self._domains:
            return True
        return bool(self._targets) and (article_key(event.url_to, field="url_to") + b"/").startswith(self._targets)
