"""The parameters of requests, checked by their types."""

from datetime import date
from typing import Annotated, Any, Literal, TypeVar, get_origin

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from flatline.readmodel.policy_lab import ThresholdsMoved
from flatline.readmodel.queries.alerts import AlertFilter
from flatline.readmodel.queries.articles import ArticleFilter
from flatline.readmodel.queries.groups import GroupFilter
from flatline.readmodel.queries.links import LinkFilter
from flatline.readmodel.queries.others import DeadLetterFilter
from flatline.readmodel.queries.paging import ROWS_MAX
from flatline.schema.group import GroupKind
from flatline_connectors.ingest.answers import Refused

T = TypeVar("T", bound=Struct)

Cursor = Annotated[str, Meta(max_length=8_192, description="`next` of the page before")]
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


class SnoozesQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Of the list of snoozes."""

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


class PolicyTrialQuery(ThresholdsMoved, frozen=True, forbid_unknown_fields=True):
    """Of a trial of thresholds."""


class NoQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Of what has no parameters."""


def query_of(request: web.Request, kind: type[T]) -> T:
    """Return the parameters of a request. Raises `Refused`."""
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    given: dict[str, Any] = {}
    for name in request.query:
        values = request.query.getall(name)
        if get_origin(_bare(fields.get(name))) is list:
            given[name] = values
        elif len(values) > 1:
            raise Refused(400, "bad_parameter", f"`{name[:100]}` is given more than once.")
        else:
            given[name] = values[0]
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Refused(400, "bad_parameter", str(error)) from None


def _bare(kind: Any) -> Any:
    return kind.__origin__ if get_origin(kind) is Annotated else kind
