"""Dead letters that are sent again, mended or as they are."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Final, Literal

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from flatline.api.access import Access
from flatline.api.asking import Asking
from flatline.api.queries import NoQuery, query_of
from flatline.api.writing import Write, Writing, body_of, refused
from flatline.readmodel.queries.others import find_dead_letter
from flatline.schema.dead_letter import VALUE_BYTES_MAX
from flatline.schema.rejection import Rejected
from flatline_connectors.ingest.answers import Refused
from flatline_connectors.sending import articles, links, visits
from flatline_connectors.sending.delivery import Deliveries
from flatline_connectors.sending.producer import Producer

RESEND: Final = "/api/v1/dead-letters/{id}/resend"

RecordKind = Literal["links", "articles", "visits"]
_Send = Callable[[Producer, Deliveries], None]


class ResendRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What the record should have been."""

    kind: Annotated[RecordKind, Meta(description="The topic it is for")]
    value: Annotated[
        str, Meta(max_length=VALUE_BYTES_MAX, description="The whole record, as JSON. It is checked as a new one is")
    ]


class ResentSaid(Struct, frozen=True):
    """Kafka has the record; workers and the read model follow within seconds."""

    offset: Annotated[int, Meta(description="Of the dead letter")]
    article: Annotated[str, Meta(description="The article that the record is about: its canonical URL")]


WRITES: Final = (Write("post", RESEND, "Send a dead letter again", NoQuery, ResendRequest, ResentSaid),)


class Resending:
    """Sends dead letters again, once each."""

    def __init__(self, writing: Writing, asking: Asking, access: Access, *, now_ms: Callable[[], int]) -> None:
        self._writing = writing
        self._asking = asking
        self._access = access
        self._now_ms = now_ms

    async def take(self, request: web.Request) -> msgspec.Struct:
        """Answer a request to send a dead letter again."""
        query_of(request, NoQuery)
        return await self.resend(request, request.match_info["id"], await body_of(request, ResendRequest))

    async def resend(self, request: web.Request, number: str, asked: ResendRequest) -> ResentSaid:
        """Send the record of the dead letter with an offset, and note in the dead letters' topic that it was sent.

        Whoever is interrupted between the two can do so again: to receive a record twice changes nothing. Raises
        `Refused`.
        """
        letter = await self._asking.ask(partial(find_dead_letter, number=number))
        if letter is None:
            raise Refused(404, "not_found", "There is no dead letter with this offset.")
        if letter.resent_at is not None:
            raise Refused(409, "already_resent", f"It was sent again on {letter.resent_at:%Y-%m-%d}.")
        try:
            key, send = self._prepared(asked, source=letter.source)
        except Rejected as rejected:
            raise refused(rejected) from None
        await self._writing.send(send)
        by = self._access.name_of(request)
        await self._writing.send(
            lambda producer, deliveries: producer.send_resent(letter.offset, by=by, deliveries=deliveries)
        )
        return ResentSaid(letter.offset, key)

    def _prepared(self, asked: ResendRequest, *, source: str | None) -> tuple[str, _Send]:
        """Return the key of a record's article, and what sends the record. Raises `Rejected`."""
        value = asked.value.encode(errors="surrogatepass")
        if asked.kind == "links":
            link = links.prepare(value, default_source=source)
            return link.key.decode(), lambda producer, deliveries: producer.send_link(link, deliveries=deliveries)
        if asked.kind == "visits":
            visit = visits.prepare(value, now_ms=self._now_ms(), default_source=source)
            return visit.key.decode(), lambda producer, deliveries: producer.send_visits(visit, deliveries=deliveries)
        article = articles.prepare(value)
        return article.key.decode(), lambda producer, deliveries: producer.send_article(article, deliveries=deliveries)
