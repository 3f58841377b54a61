"""A web of pages that change, lie, wall and vanish, and a read model of what was said of their links."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import msgspec

from flatline.domain.policy.policy import Policy
from flatline.domain.time import to_ms
from flatline.readmodel.database import Database
from flatline.readmodel.projection import Projection
from flatline.readmodel.queries.links import LinkFilter, list_links
from flatline.readmodel.queries.views import LinkRow
from flatline.schema import codec
from flatline.schema.article_record import ArticleRecord
from flatline.schema.link_event import LinkEvent
from flatline_connectors.fetching.outcomes import Fetched, Outcome
from flatline_connectors.recheck.connector import Recheck, RecheckOptions, RecheckState
from flatline_connectors.runtime.connector import FoundRecord, Resources
from flatline_connectors.runtime.outcomes import BudgetExhausted
from flatline_connectors.runtime.own_api import ApiAnswer
from flatline_connectors.sites import on_sites
from tests.readmodel.projecting import TOPICS, Log

START = datetime(2026, 3, 1, tzinfo=UTC)
OLD = START - timedelta(days=100)
HERE = "https://yours.example/guide"
ELSEWHERE = "https://yours.example/other"
SLUG = "https://yours.example/old-guide"
PROSE = "<p>" + "There is something to read here. " * 20 + "<a href='https://else.example/'>more</a></p>"


def html(*bodies: str, title: str = "A post") -> Callable[[str], Fetched]:
    """Return what answers with a page."""
    text = f"<html><title>{title}</title><body><main>{''.join(bodies)}</main></body></html>"
    return lambda url: Fetched(Outcome.FETCHED, url, status=200, body=text.encode(), content_type="text/html")


def failing(outcome: Outcome, status: int | None = None) -> Callable[[str], Fetched]:
    """Return what answers with no page."""
    return lambda url: Fetched(outcome, url, status=status)


def leading(target: str, *bodies: str) -> Callable[[str], Fetched]:
    """Return what redirects to a page on the same host, or to another address."""
    answer = html(*bodies)
    return lambda url: answer(target if "://" in target else "/".join(url.split("/")[:3]) + target)


THERE = html(PROSE, f"<p>Our <a href='{HERE}'>guide</a>.</p>")
REMOVED = html(PROSE)
RETARGETED = html(PROSE, f"<a href='{ELSEWHERE}'>the other</a>")
SLUGGED = html(PROSE, f"<a href='{SLUG}'>guide</a>")
NOT_FOUND = failing(Outcome.NOT_FOUND, 404)
GONE = failing(Outcome.GONE, 410)
WALL = failing(Outcome.DENIED, 403)
CHALLENGE = html("<p>Verify you are human</p>", title="Just a moment...")
OVERLOADED = failing(Outcome.SERVER_ERROR, 503)
TIMEOUT = failing(Outcome.TIMED_OUT)
NO_HOST = failing(Outcome.UNKNOWN_HOST)
ROBOTS = failing(Outcome.ROBOTS_DISALLOWED)
SHELL = html("<div id='root'></div><script src='/app.js'></script>")
SOFT_404 = html("<h1>Page not found</h1>", PROSE)
PARKED = html("<p>This domain is for sale.</p>")
FRONT_PAGE = leading("/", PROSE)
LOGIN = leading("/login", PROSE)
ELSEWHERE_LED = leading("https://bought.example/", PROSE)


class Phase(NamedTuple):
    """How a page answers from some day on. ``is_there``: whether the link is, for whoever may see the page."""

    from_day: float
    answer: Callable[[str], Fetched]
    is_there: bool


class WebPage(NamedTuple):
    """A page through time. ``lost_reason``: as what its loss is to be found; None: it never is to be called lost."""

    phases: tuple[Phase, ...]
    lost_reason: str | None = None
    vendor_lost_day: float | None = None

    def at(self, day: float) -> Phase:
        """Return how it is then."""
        return [phase for phase in self.phases if phase.from_day <= day][-1]


class Web:
    """Pages by their addresses, what was said of them, and a process that looks at them."""

    def __init__(self, pages: Mapping[str, WebPage], made: Database, folder: Path, **options: Any) -> None:
        self.pages = pages
        self.now = START
        self.fetches = 0
        self.fetches_left: int | None = None
        self.said: list[tuple[datetime, LinkEvent]] = []
        self._made, self._log, self._taken = made, Log(), 0
        self._projection = Projection(made, TOPICS, Policy())
        self.options = RecheckOptions(sites=["yours.example"], **options)
        ours = on_sites(["yours.example"])
        self.resources = Resources(self, ours, folder, folder, own_api=self.ask)  # type: ignore[arg-type] # it only fetches
        self._log.say(ArticleRecord(HERE), ArticleRecord(ELSEWHERE))
        for url in pages:
            self.say(LinkEvent(url, HERE, occurred_at=OLD, source="vendor"))

    @property
    def day(self) -> float:
        """Days since the beginning."""
        return (self.now - START) / timedelta(days=1)

    def say(self, event: LinkEvent) -> None:
        """Have somebody say something."""
        self._log.write(TOPICS.links, codec.links.encode(event), at_ms=to_ms(self.now))

    def lose(self, url: str) -> None:
        """Have a vendor call a link lost."""
        self.say(LinkEvent(url, HERE, change="lost", occurred_at=self.now, source="vendor"))

    async def fetch(self, url: str, **_how: object) -> Fetched:
        """Answer as the page does now."""
        if self.fetches_left is not None:
            if not self.fetches_left:
                raise BudgetExhausted("requests", 1, self.now + timedelta(days=1))
            self.fetches_left -= 1
        self.fetches += 1
        if url in (SLUG, ELSEWHERE):
            return html()(HERE if url == SLUG else ELSEWHERE)
        return self.pages[url].at(self.day).answer(url)

    async def ask(self, url: str, /, *, token: str | None) -> ApiAnswer:
        """Answer from the read model."""
        assert token is None
        query = {name: values[-1] for name, values in parse_qs(urlsplit(url).query).items()}
        chosen = LinkFilter(**{name: query[name] == "true" for name in ("live", "suspected") if name in query})
        sort = query["sort"]
        with self._made.reading() as connection:
            page = list_links(
                connection,
                chosen,
                sort=sort.removeprefix("-"),  # type: ignore[arg-type] # one of those
                is_descending=sort.startswith("-"),
                cursor=query.get("cursor"),
                limit=int(query["limit"]),
            )
        return ApiAnswer(200, msgspec.json.encode(page))

    def rows(self) -> dict[str, LinkRow]:
        """Return the links to HERE that are known, by their pages."""
        with self._made.reading() as connection:
            page = list_links(connection, LinkFilter(article=HERE), limit=10_000)
        return {row.url_from: row for row in page.rows}

    def project(self) -> None:
        """Have the read model follow."""
        records = self._log.records
        batch = {
            (topic, 0): written[self._taken if topic == TOPICS.links.name else 0 :]
            for topic, written in records.items()
        }
        self._taken = len(records[TOPICS.links.name])
        self._projection.apply(batch)

    async def run(self, state: RecheckState, *, is_killed: Callable[[], bool] = lambda: False) -> RecheckState:
        """Poll until nothing is left to do; return the state. ``is_killed``: whether a poll's state is lost."""
        connector = Recheck(self.options, self.resources)
        while True:
            try:
                result = await connector.poll(state, self.now)
            except BudgetExhausted:
                return state
            for found in result.records:
                assert isinstance(found, FoundRecord)
                event = codec.links.decode(found.value)
                self.said.append((self.now, event))
                self.say(event)
            self.project()
            if is_killed():
                continue
            state = msgspec.json.decode(msgspec.json.encode(result.state), type=RecheckState)
            if result.is_complete:
                return state
