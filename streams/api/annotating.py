"""Annotations that are made and removed through the API and the page."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Final

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from flatline.api.access import BOUNDS, Access
from flatline.api.asking import Asking
from flatline.api.queries import NoQuery, query_of
from flatline.api.writing import Write, Writing, body_of, refused
from flatline.domain.annotations import annotation_id, checked
from flatline.domain.time import to_datetime
from flatline.readmodel.queries.annotations import find_annotation, key_of_subject
from flatline.readmodel.queries.links import current_key
from flatline.schema import codec
from flatline.schema.annotation import AnnotatedDay, Annotation, AnnotationText
from flatline.schema.limits import Name, Url
from flatline.schema.rejection import Rejected
from flatline.schema.site_record import Domain
from flatline_connectors.ingest.answers import Refused

ANNOTATIONS: Final = "/api/v1/annotations"
ANNOTATION: Final = "/api/v1/annotations/{id}"


class AnnotationRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What happened on a day to an article or to a site; with neither, to everything."""

    day: AnnotatedDay
    text: AnnotationText
    article: Annotated[Url | None, Meta(description="Any URL of an article, or its label")] = None
    site: Annotated[Domain | None, Meta(description="A host; what is below it belongs to it")] = None
    by: Annotated[Name | None, Meta(description="Who says so; else the name of the token")] = None


class AnnotationSaid(Struct, frozen=True):
    """Kafka has the record; the read model follows within seconds."""

    id: str
    is_removed: bool


WRITES: Final = (
    Write("post", ANNOTATIONS, "Annotate an article, a site or everything", NoQuery, AnnotationRequest, AnnotationSaid),
    Write("delete", ANNOTATION, "Remove an annotation", NoQuery, None, AnnotationSaid),
)


class Annotating:
    """Takes annotations. To say one again changes nothing."""

    def __init__(self, writing: Writing, asking: Asking, access: Access, *, now_ms: Callable[[], int]) -> None:
        self._writing = writing
        self._asking = asking
        self._access = access
        self._now_ms = now_ms

    async def take(self, request: web.Request) -> msgspec.Struct:
        """Answer a request to annotate."""
        query_of(request, NoQuery)
        return await self.annotate(request, await body_of(request, AnnotationRequest))

    async def take_removal(self, request: web.Request) -> msgspec.Struct:
        """Answer a request to remove an annotation."""
        query_of(request, NoQuery)
        return await self.remove(request, request.match_info["id"])

    async def annotate(self, request: web.Request, asked: AnnotationRequest) -> AnnotationSaid:
        """Say what happened. Raises `Refused`."""
        article = asked.article
        if article is not None:
            article = await self._asking.ask(partial(current_key, address=article))
            if article is None:
                raise Refused(404, "not_found", "There is no such article.")
        by, now = asked.by or self._access.name_of(request), to_datetime(self._now_ms())
        try:
            annotation = checked(Annotation(asked.day, asked.text, now, article=article, site=asked.site, by=by))
        except Rejected as rejected:
            raise refused(rejected) from None
        await self._check_bounds(request, annotation.article, annotation.site)
        number = annotation_id(annotation)
        if await self._asking.ask(partial(find_annotation, number=number)) is None:
            await self._send(number, annotation)
        return AnnotationSaid(number, is_removed=False)

    async def remove(self, request: web.Request, number: str) -> AnnotationSaid:
        """Remove an annotation. Raises `Refused`."""
        found = await self._asking.ask(partial(find_annotation, number=number))
        if found is None:
            raise Refused(404, "not_found", "There is no annotation with this id.")
        await self._check_bounds(request, found.article, found.site)
        by, now = self._access.name_of(request), to_datetime(self._now_ms())
        removed = Annotation(found.day, found.text, now, article=found.article, site=found.site, by=by, is_removed=True)
        await self._send(number, removed)
        return AnnotationSaid(number, is_removed=True)

    async def _check_bounds(self, request: web.Request, article: str | None, site: str | None) -> None:
        key = key_of_subject(article, site)
        if key is not None:
            await self._writing.check_bounds(request, key)
        elif request[BOUNDS] is not None:
            raise Refused(403, "forbidden", "The token is bound to sites or owners, and this is on everything.")

    async def _send(self, number: str, annotation: Annotation) -> None:
        value = codec.annotations.encode(annotation)
        await self._writing.send(
            lambda producer, deliveries: producer.send_annotation(number.encode(), value, deliveries=deliveries)
        )
