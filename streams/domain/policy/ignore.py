"""Which link events a team wants left out."""

from typing import Annotated, Final, Self

from msgspec import Meta, Struct

from flatline.domain.urls.canonical import InvalidUrl, article_key, canonicalize, canonicalize_field, referring_domain
from flatline.domain.urls.fingerprints import domain_of_article, fingerprint, is_page
from flatline.domain.urls.multi_author_domains import MANY_AUTHORS
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
    own_links: Annotated[
        bool,
        Meta(
            description="Whether links from an article's own domain are ignored: they say nothing of other people. A "
            "domain where very many authors publish, such as github.com, is nobody's own."
        ),
    ] = True
    own_domains: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=253)]],
        Meta(description="Your other domains: links from one of them to another are own links, too."),
    ] = []
    rel: Annotated[list[Token], Meta(description="Values of rel whose links are ignored, for example sponsored.")] = []

    def __post_init__(self) -> None:
        """Raise ValueError for what no event could match."""
        for field, domains in (("referring_domains", self.referring_domains), ("own_domains", self.own_domains)):
            for domain in domains:
                _check_domain(field, domain)
        for target in self.targets:
            try:
                canonicalize(target)
            except InvalidUrl as error:
                raise ValueError(f"targets has {target!r}, which is {error}") from None


def _check_domain(field: str, domain: str) -> None:
    try:
        whole = referring_domain(canonicalize(f"https://{domain}/"))
    except InvalidUrl:
        raise ValueError(f"{field} has {domain!r}, which is no domain name") from None
    if whole != domain.lower():
        raise ValueError(f"{field} has {domain!r}: links count for the whole of {whole!r}")


class Ignored:
    """Tells which link events are left out: by what they say alone, so that order and repeats don't matter."""

    __slots__ = ("_domains", "_own_domains", "_own_links", "_rel", "_sources", "_targets")

    def __init__(self, ignore: Ignore) -> None:
        self._domains = {domain.lower() for domain in ignore.referring_domains}
        self._own_links = ignore.own_links
        self._own_domains = {fingerprint(domain.lower()) for domain in ignore.own_domains}
        self._sources = set(ignore.sources)
        self._rel = {token.lower() for token in ignore.rel}
        self._targets = tuple(
            canonicalize(target).removesuffix("/").encode() + end for target in ignore.targets for end in (b"/", b"?")
        )

    @classmethod
    def by(cls, ignore: Ignore) -> Self | None:
        """Return what tells; None where nothing is ignored but own links, as by default."""
        return cls(ignore) if ignore != Ignore() else None

    def covers_own(self, article: bytes, page: bytes, domain: bytes) -> bool:
        """Whether a link is left out because its page, by its fingerprints, belongs to the article's own site."""
        own = domain_of_article(article)
        if domain == own:
            return (self._own_links and own not in MANY_AUTHORS) or is_page(page, article)
        return self._own_links and domain in self._own_domains and own in self._own_domains

    def is_own(self, domain: bytes) -> bool:
        """Whether a domain, by its fingerprint, is one of the team's, links between which may be left out."""
        return domain in self._own_domains

    def covers(self, event: LinkEvent) -> bool:
        """Whether an event is left out. Raises `Rejected` for one whose URLs can't be read."""
        if event.source in self._sources:
            return True
        if self._rel and any(token.lower() in self._rel for token in event.rel or ()):
            return True
        if self._domains and referring_domain(canonicalize_field(event.url_from, field="url_from")) in self._domains:
            return True
        return bool(self._targets) and (article_key(event.url_to, field="url_to") + b"/").startswith(self._targets)


BY_DEFAULT: Final = Ignored(Ignore())
"""What is left out where no policy says otherwise: own links."""
