"""The annotation: a dated note that is shown beside links. Compacted by its id; the last record of an id holds."""

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct

from flatline.schema.limits import Name, Url
from flatline.schema.link_event import Instant
from flatline.schema.site_record import Domain

ANNOTATION_CHARACTERS_MAX = 1_000

AnnotationText = Annotated[str, Meta(min_length=1, max_length=ANNOTATION_CHARACTERS_MAX)]
AnnotatedDay = Annotated[date, Meta(description="The UTC day of what happened, such as 2026-01-31")]


class Annotation(Struct, frozen=True, omit_defaults=True, gc=False):
    """What happened on a day to an article or to a site; with neither, to everything. It changes no verdict."""

    day: AnnotatedDay
    text: AnnotationText
    annotated_at: Instant
    version: Literal[1] = 1
    article: Annotated[Url | None, Meta(description="Any address of the article")] = None
    site: Annotated[Domain | None, Meta(description="A host; what is below it belongs to it")] = None
    by: Annotated[Name | None, Meta(description="Who says so")] = None
    is_removed: Annotated[
        bool, Meta(description="true: it is not shown any more. Unlike a tombstone, this stays in the topic")
    ] = False
