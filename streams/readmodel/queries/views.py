"""What queries return: the same objects for the API and for pages. Instants are in UTC."""

from datetime import date, datetime
from typing import Annotated, Generic, TypeVar

from msgspec import Meta, Struct

from flatline.domain.explanation.explained import CurvePoint
from flatline.schema.alert_mark import AlertKind, ExpectedBecause, Mark
from flatline.schema.group import GroupKind, GroupState, GroupVerdict
from flatline.schema.verdict import State, Verdict

T = TypeVar("T")


class ArticleRow(Struct, frozen=True):
    """An article in a list: what was registered, what its links add up to, and the newest verdict.

    The counts are of the links that the read model holds: a verdict that is older may have others.
    """

    article: Annotated[str, Meta(description="Canonical URL")]
    site: Annotated[str, Meta(description="Registrable domain")]
    owner: Annotated[str | None, Meta(description="Of its site, as the site's record says")]
    title: str | None
    author: str | None
    series: str | None
    strategy: str | None
    tier: Annotated[int | None, Meta(description="null: not registered")]
    published_at: datetime | None
    state: Annotated[State | None, Meta(description="null: not judged yet")]
    since: datetime | None
    reason: Annotated[str | None, Meta(description="A sentence that gives the figures")]
    probability: float | None
    score: float | None
    suppressed: bool
    judged_at: datetime | None
    gained_total: int
    is_floor: Annotated[bool, Meta(description="The counts are minimums: there are more links than are reported")]
    lost_total: Annotated[int, Meta(description="Of gained_total, those that were lost at least once")]
    live: int
    referring_domains: int
    first_gained_at: datetime | None
    last_gained_at: datetime | None


class LinkSighting(Struct, frozen=True):
    """A source that saw a link."""

    source: Annotated[str | None, Meta(description="null: its events name none")]
    first_seen_at: datetime
    last_seen_at: datetime


class LinkChange(Struct, frozen=True):
    """What happened to a link, or was said to have happened."""

    at: datetime
    change: Annotated[
        str,
        Meta(description="gained, restored, lost or suspected; of its look: nofollow, followed, anchor or placement"),
    ]
    source: str | None
    reason: Annotated[str | None, Meta(description="Of a loss or suspicion; of another look, from what to what")]


class ReferringPage(Struct, frozen=True):
    """What producers said of the referring page."""

    title: str | None
    author: str | None
    published_at: datetime | None
    type: str | None
    language: str | None


class LinkRow(Struct, frozen=True):
    """A link with its evidence, of the newest events that say each of it."""

    article: str
    url_from: str
    domain: Annotated[str, Meta(description="Registrable domain of the referring page")]
    url_to: Annotated[str, Meta(description="As the page has it")]
    anchor: str | None
    context: str | None
    rel: Annotated[list[str] | None, Meta(description="An empty list: said to have none")]
    placement: str | None
    page: ReferringPage
    authority: float | None
    discovery: str
    first_gained_at: datetime
    is_live: bool
    was_lost: bool
    lost_reason: Annotated[
        str | None, Meta(description="Why it is lost, in the contract's words; null while it is live, or if not known")
    ]
    changed_at: Annotated[datetime, Meta(description="Its newest gain or loss")]
    is_sign_of_life: Annotated[bool, Meta(description="False for imports and first meetings: they count, no more")]
    quality: Annotated[float | None, Meta(description="0 to 1; null in lists of several articles")]
    why: Annotated[list[str], Meta(description="Reasons of the quality")]
    sources: list[LinkSighting]
    changes: Annotated[list[LinkChange], Meta(description="The newest first")]


class WindowCounts(Struct, frozen=True):
    """Counts of the last so many UTC days, the last one included."""

    days: int
    gained: Annotated[int, Meta(description="Links first gained then, without imports and first meetings")]
    lost: Annotated[int, Meta(description="Links reported as lost then")]
    new_domains: Annotated[int, Meta(description="Referring domains whose first link is of then")]


class VerdictChange(Struct, frozen=True):
    """A verdict that differed from the one before."""

    judged_at: datetime
    state: Annotated[State | None, Meta(description="null: it was taken back")]
    since: datetime | None
    suppressed: bool
    findings: list[str]
    probability: float | None
    score: float | None
    gained_total: int
    reason: str | None


class GroupRow(Struct, frozen=True):
    """A group and the newest verdict on it; null where there is none."""

    kind: GroupKind
    name: str
    verdict: GroupVerdict | None


class GroupChange(Struct, frozen=True):
    """A verdict on a group that differed from the one before."""

    judged_at: datetime
    state: GroupState | None
    since: datetime | None
    suppressed: bool
    reason: str | None


class GroupDetail(Struct, frozen=True):
    """A group with its history."""

    group: GroupRow
    history: Annotated[list[GroupChange], Meta(description="The newest first")]


class VisitsOfDomain(Struct, frozen=True):
    """Visits that a referring domain sent."""

    domain: str
    visits: int
    last_on: date


class AnnotationRow(Struct, frozen=True):
    """What somebody says happened on a day: to an article, to a site, or, where both are null, to everything."""

    id: str
    day: Annotated[date, Meta(description="UTC")]
    text: str
    article: Annotated[str | None, Meta(description="Canonical URL that the article has now")]
    site: Annotated[str | None, Meta(description="A host; what is below it belongs to it")]
    by: str | None
    annotated_at: datetime


class ArticleDetail(Struct, frozen=True):
    """One article."""

    article: ArticleRow
    addresses: Annotated[list[str], Meta(description="All that belong to it, its own first")]
    verdict: Annotated[Verdict | None, Meta(description="The newest that was published")]
    as_of: Annotated[date, Meta(description="The last day of the windows and the curve")]
    windows: list[WindowCounts]
    curve: Annotated[list[CurvePoint], Meta(description="Links so far, beside those expected")]
    history: Annotated[list[VerdictChange], Meta(description="The newest first")]
    groups: list[GroupRow]
    visits: Annotated[list[VisitsOfDomain], Meta(description="The domains that sent most, at most 50")]
    annotations: Annotated[
        list[AnnotationRow], Meta(description="On it, on its site and on everything; the newest day first")
    ]


class AlertRow(Struct, frozen=True):
    """An alert: a state or finding of an article, or a group under its curve; and what somebody says of it."""

    id: str
    subject: Annotated[str, Meta(description="The article key; `kind/name` of a group")]
    title: str | None
    kind: AlertKind
    since: Annotated[datetime, Meta(description="Since when the state or finding holds")]
    alerted_at: Annotated[datetime, Meta(description="When it was said first")]
    ended_at: Annotated[datetime | None, Meta(description="null: it still holds")]
    reason: Annotated[str | None, Meta(description="The sentence that was said")]
    probability: Annotated[float | None, Meta(description="That no link comes in horizon_days, as said then")]
    horizon_days: int | None
    mark: Annotated[Mark | None, Meta(description="null: nobody has said anything of it")]
    because: Annotated[ExpectedBecause | None, Meta(description="Why it was to be expected")]
    marked_at: datetime | None
    marked_by: str | None
    note: str | None


class SourceRow(Struct, frozen=True):
    """A source: its newest heartbeat, and when it saw links."""

    source: str
    is_stale: Annotated[bool | None, Meta(description="null: nothing is expected of it, or it sends no heartbeats")]
    seen_until: datetime | None
    heartbeat_at: datetime | None
    period_s: Annotated[float | None, Meta(description="null: it has finished, or sends none")]
    stale_after_s: float | None
    pages_seen: int | None
    errors: int | None
    first_seen_at: Annotated[datetime | None, Meta(description="Event time of the first link that it reported")]
    last_seen_at: datetime | None
    links: Annotated[int, Meta(description="That count, and that it saw")]
    only_here: Annotated[int, Meta(description="Of these, those that no other source saw, re-checks apart")]
    first_here: Annotated[int, Meta(description="Of `links`, those that no source saw earlier")]
    corroborated: Annotated[int, Meta(description="Of `first_here`, those that another source saw, too")]
    dead: Annotated[int, Meta(description="Of `first_here`, those that are not live any more")]


class DeadLetterRow(Struct, frozen=True):
    """A record that could not be taken, and why."""

    offset: Annotated[int, Meta(description="In the dead-letter topic")]
    at: datetime
    reason: str
    detail: str
    topic: Annotated[str | None, Meta(description="null: it was never in Kafka")]
    partition: int | None
    record_offset: int | None
    source: str | None
    file: str | None
    line: int | None
    key: str | None
    value: Annotated[str, Meta(description="Its first 4,096 characters")]
    value_bytes: int
    resent_at: Annotated[datetime | None, Meta(description="When its record was sent again")]
    resent_by: str | None


class AgeShare(Struct, frozen=True):
    """How far articles of an age are."""

    age_days: int
    share: Annotated[float | None, Meta(description="Of all links after the first day; null: too few are that old")]


class CohortRow(Struct, frozen=True):
    """Articles of a site, a strategy or a month of publication: by which age they gain which share of their links."""

    kind: Annotated[str, Meta(description="site, strategy or month; all: of all articles; quoted: the quoted curve")]
    name: str
    articles: int
    links: Annotated[int, Meta(description="From which the curve was learned")]
    shares: list[AgeShare]


class LiveEvent(Struct, frozen=True):
    """Something that happened. ``said`` depends on the kind."""

    id: str
    at: datetime
    kind: Annotated[str, Meta(description="link, verdict, group or dead_letter")]
    article: str | None
    said: dict[str, str | int | float | bool | None]


class Summary(Struct, frozen=True):
    """How many articles there are in each state, and how far the read model is."""

    articles: int
    states: dict[str, int]
    links: Annotated[int, Meta(description="Gained, of all articles")]
    live: int


class Page(Struct, Generic[T], frozen=True):
    """A page of a list."""

    rows: list[T]
    next: Annotated[str | None, Meta(description="The cursor of the next page; null: this is the last")]
