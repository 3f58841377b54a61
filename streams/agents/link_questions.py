"""What the native core asks of the domain's rules. It remembers each answer by the text that it asked about.

An answer of None has Python read the whole record. So the core knows how a record is written, and no rule.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from flatline.domain.events import event_traits, pages
from flatline.domain.events.observation import SEEN_WITHIN_MS, ArticleKeys, observation_of
from flatline.domain.imports.moments import moment_of
from flatline.domain.policy.ignore import BY_DEFAULT, Ignored
from flatline.domain.state import link, link_traits
from flatline.domain.state.article import LinkObservation
from flatline.domain.time import EARLIEST_MS, LATEST_MS
from flatline.domain.urls.canonical import (
    PLAIN,
    InvalidUrl,
    article_key,
    canonicalize,
    is_canonical_host,
    referring_domain,
)
from flatline.domain.urls.fingerprints import domain_of_article, fingerprint
from flatline.domain.urls.listings import LISTING_NAMES
from flatline.schema import codec
from flatline.schema.link_event import LinkEvent
from flatline.schema.partitioning import partition_of
from flatline.schema.rejection import Rejected

_FROM: Final = "https://from.invalid/"
_TO: Final = "https://to.invalid/"
_URLS: Final = f'"url_from":"{_FROM}","url_to":"{_TO}"'.encode()
# An instant that says a moment.
_DATED: Final = b'"occurred_at":"2020-01-01T00:00:01Z"'


class Rest(NamedTuple):
    """What all members of an event say that have few values. ``says_moment``: if the event says when, too."""

    is_gain: bool
    flags_and_traits: int
    source: str | None
    lost_reason: int
    is_floor: bool
    is_import: bool
    says_moment: bool


def parameters() -> Mapping[str, object]:
    """Return what the core has to know of the rules without asking: it would have to ask about each record."""
    return {
        "members": [each.encode_name.encode() for each in msgspec.structs.fields(LinkEvent)],
        "earliest_ms": EARLIEST_MS,
        "latest_ms": LATEST_MS,
        "seen_within_ms": SEEN_WITHIN_MS,
        "prose_chars_min": event_traits.PROSE_CHARS_MIN,
        "prose": link.IN_PROSE,
        "bare_chars_max": event_traits.BARE_CHARS_MAX,
        "bare": link.BARE,
        "telling_names": [name.encode() for name in pages.TELLING_NAMES],
        "listing_names": [name.encode() for name in LISTING_NAMES],
        "reading": link_traits.READING << link.FLAG_BITS,
        # Of what these are in, more counts than `LinkQuestions.folders` is told, and the lengths of a context.
        "declined_in_urls": [b"interview"],
        "declined_in_contexts": [part.encode() for part in event_traits.IN_DISCLOSURES],
    }


class LinkQuestions:
    """Answers for the topic of links with so many partitions, where events that are ``ignored`` are left out."""

    def __init__(self, *, partitions: int, ignored: Ignored | None) -> None:
        self._partitions = partitions
        self._ignored = ignored
        self._policy = ignored or BY_DEFAULT
        self._keys = ArticleKeys()

    def article(self, url_to: str) -> tuple[bytes, bytes | None, int] | None:
        """Return the key of the article at a URL, the fingerprint of its domain, and its partition.

        No domain where links from there count.
        """
        try:
            if self._is_ignored(LinkEvent(_FROM, url_to)):
                return None
            key = article_key(url_to, field="url_to")
        except Rejected:
            return None
        own = domain_of_article(key)
        is_ignored = self._policy.covers_own(key, b"", own)
        return key, own if is_ignored else None, partition_of(key, self._partitions)

    def host(self, host: str) -> tuple[bytes, bytes] | None:
        """Return the canonical form of a host, and the fingerprint of its domain.

        None also where the URLs at a host may have another canonical form than its root has.
        """
        url = f"https://{host}/"
        plain = PLAIN(url)
        try:
            page = canonicalize(url)
            if self._is_ignored(LinkEvent(url, _TO)):
                return None
        except (InvalidUrl, Rejected):
            return None
        name = page[len("https://") : -1]
        is_surely_canonical = plain is not None and plain[1] is not None
        if not is_surely_canonical and not (name == host.removeprefix("www.") and is_canonical_host(name)):
            return None
        domain = fingerprint(name if is_surely_canonical else referring_domain(page))
        return None if self._policy.is_own(domain) else (name.encode(), domain)

    def folders(self, folders: str) -> int:
        """Return the flags and traits of a link on any page in these folders: a URL up to a slash."""
        return event_traits.flags_and_traits_of(LinkEvent(f"{folders}-", _TO))

    def member(self, name: str, value: bytes) -> int | None:
        """Return the flags and traits of a link by one member of its event, as JSON."""
        try:
            event = codec.links.decode(b'{%b,"%b":%b}' % (_URLS, name.encode(), value))
        except Rejected:
            return None
        return event_traits.flags_and_traits_of(event)

    def rest(self, members: bytes) -> Rest | None:
        """Return what the members say that have few values; as JSON, with a comma before each."""
        try:
            event = codec.links.decode(b"{%b,%b%b}" % (_URLS, _DATED, members))
            said = observation_of(event, recorded_ms=LATEST_MS, keys=self._keys, ignored=self._ignored)
        except Rejected:
            return None
        if not isinstance(said, LinkObservation):
            return None
        return Rest(
            said.is_gain,
            said.flags_and_traits,
            said.source,
            said.lost_reason,
            said.is_floor,
            event.discovery == "import",
            moment_of(event, said) is not None,
        )

    def _is_ignored(self, event: LinkEvent) -> bool:
        return self._ignored is not None and self._ignored.covers(event)
