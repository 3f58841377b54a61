"""What becomes of one record when somebody is erased: it stays byte for byte, loses what names them, or goes.

A link from a page that is erased stays, without its address: it is a fact about the article that it leads to. In the
place of the address stands a pseudonym. It is made with a key that only this run knows, so afterwards nobody can tell
of which address it was made.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from flatline.domain.policy.ignore import BY_DEFAULT, Ignored
from flatline.domain.state.visits import sending_page
from flatline.domain.urls.canonical import canonicalize_field
from flatline.domain.urls.fingerprints import lists_others, referrer
from flatline.engine.log import Outgoing
from flatline.erasure.subject import Domain, Subject
from flatline.erasure.texts import texts_of
from flatline.schema import codec
from flatline.schema.link_event import LinkEvent
from flatline.schema.rejection import Rejected
from flatline.schema.topics import Topics
from flatline.schema.visits_record import VisitsRecord

PSEUDONYM_BYTES: Final = 16
KEY_BYTES: Final = 32
UNNAMED: Final = "erased"
"""What stands in place of whoever said something, where a record is nothing without that."""

# Of a link whose page is erased: what says nothing of the page but when and how it links.
_FIELDS_LEFT_OUT: Final = frozenset({"id", "anchor", "context"})
_LINK_FIELDS: Final = frozenset(LinkEvent.__struct_fields__) - _FIELDS_LEFT_OUT
_PAGE_FIELDS: Final = frozenset({"published_at", "type", "language"})
_SAID: Final = ("by", "why", "note", "text")
_ABOUT: Final = ("article", "site", "labels")
"""What a record is about: without one of these it would be about more than before."""

Tree = dict[str, Any]
_decode: Final = msgspec.json.Decoder().decode
_ERRORS: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Eraser:
    """Rewrites the records of topics so that none mentions the subject.

    ``topics``   says what is in a topic
    ``key``      random bytes that nobody keeps
    ``ignored``  links that count nowhere: they need no pseudonym
    """

    def __init__(self, subject: Subject, *, topics: Topics, key: bytes, ignored: Ignored | None = None) -> None:
        self._subject = subject
        self._topics = topics
        self._key = key
        self._ignored = ignored
        self._decoders: Mapping[str, Callable[[bytes | None], object]] = {
            topics.links.name: codec.links.decode,
            topics.visits.name: codec.visits.decode,
            topics.articles.name: codec.articles.decode,
            topics.removals.name: codec.removals.decode,
            topics.moves.name: codec.moves.decode,
            topics.sites.name: codec.sites.decode,
            topics.alert_marks.name: codec.alert_marks.decode,
            topics.snoozes.name: codec.snoozes.decode,
            topics.annotations.name: codec.annotations.decode,
            topics.heartbeats.name: codec.heartbeats.decode,
            topics.verdicts.name: codec.verdicts.decode,
            topics.groups.name: codec.groups.decode,
        }

    def mentions(self, data: bytes | None) -> bool:
        """Whether a key, a value or a header mentions the subject."""
        return data is not None and self._subject.may_be_in(data) and any(map(self._subject.is_in, texts_of(data)))

    def rewritten(self, record: Outgoing) -> Outgoing | None:
        """Return the record without the subject: itself, if it mentions none; None, if nothing of it can stay."""
        headers = [each for each in record.headers if not (self.mentions(each[1]) or self.mentions(each[0].encode()))]
        is_named = self.mentions(record.value)
        if not is_named and len(headers) == len(record.headers) and not self.mentions(record.key):
            return record
        # A key names the article, the site or the group that the record is about. A dead letter is the bytes that came.
        if self.mentions(record.key) or record.topic == self._topics.dead_letters.name:
            return None
        value = record.value
        if is_named and value is not None:
            value = self._without_subject(record.topic, value)
            if value is None or self.mentions(value):
                return None
        return record._replace(value=value, headers=headers)

    def _without_subject(self, topic: str, value: bytes) -> bytes | None:
        """Return a value that can still be read; None where there is none. Its record is of no use then."""
        decode = self._decoders.get(topic)
        try:
            tree = _decode(value)
            if decode is None or not isinstance(tree, dict):
                return None
            if topic == self._topics.links.name:
                tree = self._link(tree, codec.links.decode(value))
            elif topic == self._topics.visits.name:
                tree = self._visits(tree, codec.visits.decode(value))
            elif any(self.mentions(msgspec.json.encode(tree.get(name))) for name in _ABOUT):
                return None
            else:
                tree = _unnamed(tree, self._is_named)
            encoded = msgspec.json.encode(_pruned(tree, self._is_named))
            decode(encoded)
        except (*_ERRORS, Rejected):
            return None
        return encoded

    def _link(self, tree: Tree, event: LinkEvent) -> Tree | None:
        """Return a link without its page, if that is named. Raises Rejected."""
        if not self._is_named(event.url_from):
            return tree
        return None if self._is_ignored(event) else self._pseudonymous(tree, event)

    def _pseudonymous(self, tree: Tree, event: LinkEvent) -> Tree:
        """Return a link with a pseudonym in place of its page. Raises Rejected."""
        page, domain = referrer(event.url_from)
        link = {name: value for name, value in tree.items() if name in _LINK_FIELDS}
        if isinstance(link.get("page"), dict):
            link["page"] = {name: value for name, value in link["page"].items() if name in _PAGE_FIELDS}
        if isinstance(self._subject, Domain):
            link["url_from"] = f"https://{self._domain(domain)}/{self._digest(page)}"
        else:
            host = canonicalize_field(event.url_from, field="url_from").split("/")[2]
            link["url_from"] = f"https://{host}/{UNNAMED}-{self._digest(page)}"
        if event.change == "lost" and lists_others(event.url_from):
            link["change"] = "suspected"  # as such it counted: a page that lists others loses links all the time
        return link

    def _visits(self, tree: Tree, record: VisitsRecord) -> Tree:
        """Return visits without who sent them, if that is named. Raises Rejected."""
        sent_by = sending_page(record)
        named = [each for each in (record.domain, record.url_from) if each is not None and self._is_named(each)]
        if not named:
            return tree
        rest = {name: value for name, value in tree.items() if name not in ("domain", "url_from")}
        if isinstance(self._subject, Domain):
            _, domain = referrer(sent_by)
            return rest | {"domain": self._domain(domain)}
        return rest | {"domain": sent_by.split("/")[2].partition(":")[0]}

    def _is_ignored(self, event: LinkEvent) -> bool:
        """Whether a link counts nowhere. Raises Rejected."""
        page, domain = referrer(event.url_from)
        ignored = self._ignored or BY_DEFAULT
        article = canonicalize_field(event.url_to, field="url_to").encode()
        return ignored.covers(event) or ignored.covers_own(article, page, domain)

    def _domain(self, domain: bytes) -> str:
        # Nobody can register a name below .invalid (RFC 2606).
        return f"{UNNAMED}-{self._digest(domain)}.invalid"

    def _digest(self, what: bytes) -> str:
        return hmac.new(self._key, what, hashlib.sha256).hexdigest()[: 2 * PSEUDONYM_BYTES]

    def _is_named(self, text: str) -> bool:
        return self._subject.is_in(text)


def _pruned(tree: Any, is_named: Callable[[str], bool]) -> Any:
    """Return JSON without the members and items that mention somebody."""
    if isinstance(tree, dict):
        return {
            name: _pruned(value, is_named)
            for name, value in tree.items()
            if not (is_named(name) or (isinstance(value, str) and is_named(value)))
        }
    if isinstance(tree, list):
        return [_pruned(value, is_named) for value in tree if not (isinstance(value, str) and is_named(value))]
    return tree


def _unnamed(tree: Tree, is_named: Callable[[str], bool]) -> Tree:
    """Return JSON in which it isn't known any more who said something: a mark or a snooze still holds."""
    return {
        name: UNNAMED if name in _SAID and isinstance(value, str) and is_named(value) else value
        for name, value in tree.items()
    }
