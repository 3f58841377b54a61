"""Link events on their way to Kafka: checked, and keyed by the article's canonical URL."""

from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from flatline.domain.time import check_stated_times
from flatline.domain.urls import canonical as urls
from flatline.schema import codec
from flatline.schema.link_event import LinkEvent
from flatline_connectors.sending.sourced import with_source

# A page links to many articles, an article is linked to by many pages, and both come in runs.
_article_key: Final = lru_cache(maxsize=16_384)(urls.article_key)


class PreparedLink(NamedTuple):
    """A link event that can be sent: its article's key, the bytes to send, and what they say."""

    key: bytes
    value: bytes
    record: LinkEvent


def prepare(value: bytes, *, default_source: str | None = None) -> PreparedLink:
    """Check one link event and return it with its key; raise `Rejected` and nothing else.

    The bytes stay as they are, except that an event without a source gets ``default_source``.
    """
    event = codec.links.decode(value)
    key = _article_key(event.url_to, field="url_to")
    _article_key(event.url_from, field="url_from")
    check_stated_times(event)
    if default_source is not None and event.source is None:
        value = with_source(value, default_source)
        event = msgspec.structs.replace(event, source=default_source)
    return PreparedLink(key, value, event)
