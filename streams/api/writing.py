"""What can be said through the API: each of it is an event in a topic, as if any other producer had sent it."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Final, NamedTuple, TypeVar

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from flatline.api.access import BOUNDS, Access
from flatline.api.asking import Asking
from flatline.api.queries import AddressQuery, NoQuery, query_of
from flatline.domain.alerts import checked
from flatline.domain.state.moves import Rule, rule_of
from flatline.domain.time import to_datetime
from flatline.domain.urls.canonical import article_key
from flatline.readmodel.queries.alerts import find_alert
from flatline.readmodel.queries.bounds import are_within
from flatline.readmodel.queries.links import current_key
from flatline.readmodel.queries.moves import stored_moves
from flatline.readmodel.queries.views import AlertRow
from flatline.schema import codec
from flatline.schema.alert_mark import NOTE_CHARACTERS_MAX, AlertKind, AlertMark, ExpectedBecause, Mark
from flatline.schema.article_record import ArticleRecord
from flatline.schema.limits import Name, Url
from flatline.schema.move import Move
from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.ingest.answers import Refused
from flatline_connectors.sending import articles
from flatline_connectors.sending.delivery import Deliveries, DeliveryFailed
from flatline_connectors.sending.producer import KafkaUnavailable, Producer

T = TypeVar("T", bound=Struct)

MARK: Final = "/api/v1/alerts/{id}/mark"
_JSON: Final = "application/json"
_OF_ARTICLES_ONLY: Final = {ExpectedBecause.RETIRED, ExpectedBecause.MOVED}
_SETTLED_WITHIN_S: Final = 30.0


class ArticleSaid(Struct, frozen=True):
    """Kafka has the record; workers and the read model follow within seconds."""

    article: Annotated[str, Meta(description="The article that it is about: its canonical URL")]


class MoveRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of the old address counts for the new one. Either both end in ``/*``, or neither does."""

    old: Url
    new: Url
    is_undone: Annotated[bool, Meta(description="true: it did not move, after all")] = False


class MoveSaid(Struct, frozen=True):
    """Kafka has the record; workers and the read model follow within seconds."""

    old: str
    new: str
    is_undone: bool


class MarkRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody says of an alert. It replaces what was said before."""

    mark: Annotated[Mark, Meta(description="withdrawn: nothing, after all")]
    because: Annotated[
        ExpectedBecause | None,
        Meta(description="Needed with `expected`. retired: the article is not judged until the alert is marked anew"),
    ] = None
    by: Annotated[Name | None, Meta(description="Who says so; else the name of the token")] = None
    note: Annotated[str, Meta(max_length=NOTE_CHARACTERS_MAX)] | None = None


class MarkSaid(Struct, frozen=True):
    """Kafka has the record; workers and the read model follow within seconds."""

    id: str
    subject: str
    mark: Mark
    because: ExpectedBecause | None


class Write(NamedTuple):
    """A request that writes, for the description."""

    method: str
    path: str
    about: str
    query: type[Struct]
    body: type[Struct] | None
    answer: type[Struct]


WRITES: Final = (
    Write("post", "/api/v1/articles", "Register an article, or replace what is registered", NoQuery, ArticleRecord,
          ArticleSaid),
    Write("delete", "/api/v1/article", "Forget an article up to now", AddressQuery, None, ArticleSaid),
    Write("post", "/api/v1/moves", "Move addresses, or undo that", NoQuery, MoveRequest, MoveSaid),
    Write("post", MARK, "Say of an alert whether it was right", NoQuery, MarkRequest, MarkSaid),
)  # fmt: skip


class Writing:
    """Answers the requests that write, when Kafka has acknowledged."""

    def __init__(self, producer: Producer | None, asking: Asking, access: Access, *, now_ms: Callable[[], int]) -> None:
        """Write with ``producer``; None: nobody may write."""
        self._producer = producer
        self._asking = asking
        self._access = access
        self._now_ms = now_ms

    async def register(self, request: web.Request) -> msgspec.Struct:
        """Take an article record."""
        query_of(request, NoQuery)
        try:
            prepared = articles.prepare(await _body(request))
        except Rejected as rejected:
            raise refused(rejected) from None
        aliases = (article_key(alias, field="aliases") for alias in prepared.record.aliases)
        await self.check_bounds(request, *(key.decode() for key in (prepared.key, *aliases)))
        await self.send(lambda producer, deliveries: producer.send_article(prepared, deliveries=deliveries))
        return ArticleSaid(prepared.key.decode())

    async def remove(self, request: web.Request) -> msgspec.Struct:
        """Forget the article at an address."""
        query = query_of(request, AddressQuery)
        key = await self._asking.ask(partial(current_key, address=query.url))
        if key is None:
            raise Refused(404, "not_found", "There is no such article.")
        await self.check_bounds(request, key)
        removal = articles.removal_of(key, removed_ms=self._now_ms())
        await self.send(lambda producer, deliveries: producer.send_removal(removal, deliveries=deliveries))
        return ArticleSaid(key)

    async def move(self, request: web.Request) -> msgspec.Struct:
        """Move addresses."""
        query_of(request, NoQuery)
        try:
            asked = msgspec.json.decode(await _body(request), type=MoveRequest)
            decided_at = to_datetime(self._now_ms())
            rule = rule_of(Move(asked.old, asked.new, decided_at, is_undone=asked.is_undone))
        except msgspec.DecodeError as error:
            raise Refused(422, "wrong_type", str(error)) from None
        except Rejected as rejected:
            raise refused(rejected) from None
        former = await self._asking.ask(partial(_former, rule=rule))
        if rule.is_undone and (former is None or former.is_undone):
            raise Refused(404, "not_found", "That was not moved.")
        if former is not None:  # even if that was decided by a clock that was ahead
            rule = rule._replace(decided_ms=max(rule.decided_ms, former.decided_ms + 1))
        await self.send(lambda producer, deliveries: producer.send_move(rule, deliveries=deliveries))
        return MoveSaid(str(rule.old), str(rule.new), rule.is_undone)

    async def mark(self, request: web.Request) -> msgspec.Struct:
        """Take what somebody says of an alert."""
        query_of(request, NoQuery)
        return await self.mark_alert(request, request.match_info["id"], await body_of(request, MarkRequest))

    async def mark_alert(self, request: web.Request, number: str, said: MarkRequest) -> MarkSaid:
        """Say of the alert with an id what somebody says. To say it again changes nothing. Raises `Refused`."""
        alert = await self._asking.ask(partial(find_alert, number=number))
        if alert is None:
            raise Refused(404, "not_found", "There is no alert with this id.")
        if alert.kind is AlertKind.UNDER_CURVE and said.because in _OF_ARTICLES_ONLY:
            raise Refused(422, Reason.INVALID_VALUE.value, f"because: a group can't be {said.because.value}")
        await self.check_bounds(request, alert.subject)
        by = said.by or self._access.name_of(request)
        now = to_datetime(self._now_ms())
        mark = AlertMark(
            alert.subject, alert.kind, alert.since, said.mark, now, because=said.because, by=by, note=said.note
        )
        try:
            checked(mark)
        except Rejected as rejected:
            raise refused(rejected) from None
        if _what_is_said(mark) != _what_was_said(alert):
            value = codec.alert_marks.encode(mark)
            await self.send(
                lambda producer, deliveries: producer.send_alert_mark(number.encode(), value, deliveries=deliveries)
            )
        return MarkSaid(alert.id, alert.subject, mark.mark, mark.because)

    async def check_bounds(self, request: web.Request, *keys: str) -> None:
        """Raise `Refused` where somebody is bound to other articles than these."""
        bounds = request[BOUNDS]
        if bounds is not None and not await self._asking.ask(partial(are_within, bounds=bounds, keys=keys)):
            raise Refused(403, "forbidden", "The token is bound to other sites or owners.")

    async def send(self, send: Callable[[Producer, Deliveries], None]) -> None:
        """Send, and wait until Kafka has it. Raises `Refused`."""
        producer = self._producer
        if producer is None:
            raise Refused(403, "read_only", "This API can only be read.")

        def sent(producer: Producer) -> None:
            deliveries = producer.new_deliveries()
            send(producer, deliveries)
            if not deliveries.wait(_SETTLED_WITHIN_S):
                raise DeliveryFailed(None, "it did not answer in time")
            deliveries.raise_failure()

        try:
            await asyncio.to_thread(sent, producer)
        except (DeliveryFailed, KafkaUnavailable) as error:
            raise Refused(503, "kafka_unavailable", str(error), retry_after_s=2) from None


async def body_of(request: web.Request, kind: type[T]) -> T:
    """Return the body of a request as a type. Raises `Refused`."""
    try:
        return msgspec.json.decode(await _body(request), type=kind)
    except msgspec.DecodeError as error:
        raise Refused(422, "wrong_type", str(error)) from None


async def _body(request: web.Request) -> bytes:
    if request.content_type != _JSON:
        raise Refused(415, "unsupported_type", f"Content-Type must be {_JSON}.")
    return await request.read()


def _what_is_said(mark: AlertMark) -> tuple[object, ...]:
    if mark.mark is Mark.WITHDRAWN:
        return (None,)
    return mark.mark, mark.because, mark.by, mark.note


def _what_was_said(alert: AlertRow) -> tuple[object, ...]:
    if alert.mark is None:
        return (None,)
    return alert.mark, alert.because, alert.marked_by, alert.note


def refused(rejected: Rejected) -> Refused:
    """Return the answer to a record that the contract does not take."""
    return Refused(422, rejected.reason.value, rejected.detail)


def _former(connection: Any, rule: Rule) -> Rule | None:
    """Return the newest that was said of the same addresses."""
    same = (
        each for each in stored_moves(connection) if (each.old, each.new, each.is_alias) == (rule.old, rule.new, False)
    )
    return next(same, None)
