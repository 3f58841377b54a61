"""The parameters of requests, checked by their types."""

from datetime import date
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from flatline.readmodel.policy_lab import ThresholdsMoved
from flatline.readmodel.queries.alerts import AlertFilter
from flatline.readmodel.queries.annotations import AnnotationFilter
from flatline.readmodel.queries.articles import ArticleFilter
from flatline.readmodel.queries.groups import GroupFilter
from flatline.readmodel.queries.links import LinkFilter
from flatline.readmodel.queries.others import DeadLetterFilter
from flatline.readmodel.queries.paging import ROWS_MAX
from flatline.readmodel.queries.publications import Grouping
from flatline.readmodel.queries.source_days import DAYS, DAYS_MAX
from flatline.schema.group import GroupKind
from flatline.schema.site_record import TimeZone
from flatline_connectors.ingest.answers import Refused

T = TypeVar("T", bound=Struct)

Cursor = Annotated[str, Meta(max_length=4_096, description="`next` of the page before")]
Limit = Annotated[int, Meta(ge=1, le=ROWS_MAX, description="Rows of a page; csv and ndjson have all")]
Format = Annotated[Literal["json", "csv", "ndjson"], Meta(description="csv and ndjson have all pages in one")]
ArticleSort = Literal[
    "article", "-gained", "gained", "-live", "live", "-domains", "domains", "-last_gained", "last_gained",
    "-since", "since", "-probability", "probability", "-score", "score", "-article", "attention", "-attention",
]  # fmt: skip


class ArticlesQuery(ArticleFilter, frozen=True, forbid_unknown_fields=True):
    """Of a list of articles."""

    sort: Annotated[ArticleSort, Meta(description="With - the highest or newest come first")] = "article"
    cursor: Cursor | None = None
    limit: Limit = 50
    format: Format = "json"


class LinksQuery(LinkFilter, frozen=True, forbid_unknown_fields=True):
    """Of a list of links."""

    sort: Literal["-gained", "gained", "-changed", "changed"] = "-gained"
    cursor: Cursor | None = None
    limit: Limit = 50
    format: Format = "json"


class GroupsQuery(GroupFilter, frozen=True, forbid_unknown_fields=True):
    """Of a list of groups."""

    cursor: Cursor | None = None
    limit: Limit = 50
    format: Format = "json"


class AlertsQuery(AlertFilter, frozen=True, forbid_unknown_fields=True):
    """Of a list of alerts."""

    cursor: Cursor | None = None
    limit: Limit = 50
    format: Format = "json"


class DeadLettersQuery(DeadLetterFilter, frozen=True, forbid_unknown_fields=True):
    """Of a list of dead letters."""

    cursor: Cursor | None = None
    limit: Limit = 50
    format: Format = "json"


class SourcesQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Of the list of sources."""

    format: Format = "json"


class SourceDaysQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Of the days of sources."""

    source: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    days: Annotated[int, Meta(ge=1, le=DAYS_MAX, description="How many, today among them")] = DAYS
    format: Format = "json"


class SnoozesQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Of the list of snoozes."""

    format: Format = "json"


class AnnotationsQuery(AnnotationFilter, frozen=True, forbid_unknown_fields=True):
    """Of the list of annotations."""

    format: Format = "json"


class AddressQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which article."""

    url: Annotated[str, Meta(min_length=1, max_length=4_096, description="Any URL of it, or the label of its alerts")]


class ArticleQuery(AddressQuery, frozen=True, forbid_unknown_fields=True):
    """Of one article."""

    on: Annotated[date | None, Meta(description="The last day of windows and curve; else today (UTC)")] = None


class GroupQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Of one group."""

    kind: GroupKind
    name: Annotated[str, Meta(min_length=1, max_length=253)]


class CohortsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Of the curves of cohorts."""

    kind: Annotated[Literal["site", "strategy", "month"], Meta(description="Of which cohorts")] = "strategy"


class PublicationsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Of the publications of a group."""

    kind: Grouping
    name: Annotated[str, Meta(min_length=1, max_length=253)]
    format: Format = "json"


class PeersQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Of the series beside those of peers."""

    format: Format = "json"


class PolicyTrialQuery(ThresholdsMoved, frozen=True, forbid_unknown_fields=True):
    """Of a trial of thresholds."""


class WeeklySummaryQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Of the summary of a week."""

    until: Annotated[date | None, Meta(description="The last day; else yesterday, in the time zone")] = None
    time_zone: TimeZone = "UTC"


class NoQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Of what has no parameters."""


def query_of(request: web.Request, kind: type[T]) -> T:
    """Return the parameters of a request. Raises `Refused`."""
    wanted = _given(kind)
    lists = {field.encode_name for field in msgspec.structs.fields(wanted) if get_origin(_bare(field.type)) is list}
    given: dict[str, Any] = {}
    for name in request.query:
        values = request.query.getall(name)
        if name in lists:
            given[name] = values
        elif len(values) > 1:
            raise Refused(400, "bad_parameter", f"`{name[:100]}` is given more than once.")
        else:
            given[name] = values[0]
    try:
        return kind(**msgspec.structs.asdict(msgspec.convert(given, wanted, strict=False)))
    except msgspec.ValidationError as error:
        raise Refused(400, "bad_parameter", str(error)) from None


@cache
def _given(kind: type[Struct]) -> type[Struct]:
    """Return a type for parameters that are given: `null` is a word like any other, and no number."""
    default_of: Any = msgspec.field
    fields = [
        (each.name, _without_none(each.type), default_of(default=each.default, default_factory=each.default_factory))
        for each in msgspec.structs.fields(kind)
    ]
    return msgspec.defstruct(kind.__name__, fields, forbid_unknown_fields=True)


def _without_none(kind: Any) -> Any:
    if get_origin(kind) is Annotated:
        return Annotated[_without_none(kind.__origin__), *kind.__metadata__]
    if get_origin(kind) in (Union, UnionType):
        return Union[tuple(each for each in get_args(kind) if each is not NoneType)]  # noqa: UP007 - of several
    return kind


def _bare(kind: Any) -> Any:
    return kind.__origin__ if get_origin(kind) is Annotated else kind
