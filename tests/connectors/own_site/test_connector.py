"""Runs over a site: what is registered after each, and what became of the articles that it no longer lists."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from flatline.domain.sites import Sites
from flatline.domain.state.moves import Moves, rule_of
from flatline.schema import codec
from flatline.schema.article_record import ArticleRecord
from flatline.schema.connector_record import POSITION_BYTES_MAX
from flatline.schema.move import Move
from flatline.schema.site_record import SeriesRule, SiteRecord
from flatline_connectors.fetching.outcomes import Fetched, Outcome
from flatline_connectors.own_site.connector import UNLISTED_MAX, OwnSite, OwnSiteOptions, OwnSiteState
from flatline_connectors.own_site.reading import LISTINGS_MAX
from flatline_connectors.own_site.registering import Registry, prepared
from flatline_connectors.runtime.connector import FoundRecord, PollFailed, PollResult, Resources
from flatline_connectors.sites import on_sites
from tests.connectors.runtime.worlds.own_site import INDEX, NEWS, PLAIN, SITE, SiteFetcher, index, news, sitemap
from tests.samples import SAMPLES, with_samples

OPTIONS = OwnSiteOptions(sites=["yours.example"])
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FEED = b"<rss version='2.0'><channel><title>F</title><item><title>A</title><link>https://yours.example/a</link></item>"


class Runs:
    """A connector, with what is registered by what it sends. ``answers``: what is said in place of a page."""

    def __init__(self, folder: Path, options: OwnSiteOptions = OPTIONS, *, sites: Sites | None = None) -> None:
        self.fetcher = SiteFetcher({}, {})
        self.registered: dict[bytes, ArticleRecord] = {}
        self.removed: set[bytes] = set()
        self.answers: dict[str, Fetched] = {}
        self.letters = 0
        self.state = OwnSiteState()
        self.largest = 0
        self._moves = Moves()
        self._fetch, self.fetcher.fetch = self.fetcher.fetch, self._answer  # type: ignore[method-assign]
        is_ours = on_sites(options.sites)
        lent = Resources(self.fetcher, is_ours, folder, folder, sites or Sites(), self._registry)
        self._site = OwnSite(options, lent)

    async def _answer(self, url: str, **how: object) -> Fetched:
        if (said := self.answers.get(url)) is None:
            return await self._fetch(url, **how)
        self.fetcher.asked.append(url)
        return said

    async def _registry(self) -> Registry:
        current = self._moves.current
        records = {current(key): record for key, record in self.registered.items() if key == current(key)}
        return Registry(records, frozenset(self.removed), current)

    def register(self, record: ArticleRecord) -> None:
        """Take a record as workers do."""
        article = prepared(record)
        self.registered[article.key] = record
        for alias in record.aliases:
            self._moves.add(rule_of(Move(alias, record.url, NOW, is_alias=True)))

    async def poll(self) -> PollResult[OwnSiteState]:
        """Poll once, from where it is."""
        return await self._site.poll(self.state, NOW)

    async def run(self) -> list[ArticleRecord]:
        """Poll to the end of a run, past what asks for patience, and return what was sent."""
        sent = []
        self.fetcher.asked.clear()
        while True:
            try:
                result = await self.poll()
            except PollFailed:
                continue
            for found in result.records:
                if isinstance(found, FoundRecord):
                    sent.append(codec.articles.decode(found.value))
                    self.register(sent[-1])
                else:
                    self.letters += 1
            self.state = result.state
            self.largest = max(self.largest, len(msgspec.json.encode(self.state)))
            if result.is_complete:
                return sorted(sent, key=lambda record: record.url)


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    """Return a connector that was never run, for a site with one sitemap."""
    runs = Runs(tmp_path)
    runs.fetcher.pages[INDEX] = sitemap("a", "b")
    return runs


async def test_a_site_from_nothing(tmp_path: Path) -> None:
    """All listings are read; what one says of an article is added to what another said; series are those of the site.

    A second run finds nothing new.
    """
    record = SiteRecord("yours.example", series=[SeriesRule("/guides", "Guides")])
    (sites := Sites()).receive_record(b"yours.example", codec.sites.encode(record))
    runs = Runs(tmp_path, sites=sites)
    feed = f"{SITE}/feed"
    runs.fetcher.pages |= {INDEX: index(PLAIN, NEWS, feed, INDEX), PLAIN: sitemap("a", "guides/b"), feed: FEED}
    runs.fetcher.pages[NEWS] = news("guides/b", "B")
    await runs.run()
    assert list(runs.registered.values()) == [
        ArticleRecord(f"{SITE}/a", title="A"),
        ArticleRecord(f"{SITE}/guides/b", title="B", series="Guides", published_at=datetime(2026, 2, 3, tzinfo=UTC)),
    ]
    assert runs.fetcher.asked == [INDEX, PLAIN, NEWS, feed]
    assert await runs.run() == []


@with_samples
async def test_the_samples(tmp_path: Path) -> None:
    """Four articles, of which one has a date; another host's sitemap is left out, and one that is not there logged."""
    at = "https://pub.example"
    runs = Runs(tmp_path, OwnSiteOptions(sites=["pub.example"], listings=(f"{at}/sitemap_index.xml",)))
    for name in ("sitemap.xml", "sitemap_index.xml"):
        runs.fetcher.pages[f"{at}/{name}"] = (SAMPLES / name).read_bytes()
    published_at = datetime(2026, 11, 21, 7, 55, tzinfo=UTC)
    assert await runs.run() == [
        ArticleRecord("http://pub.example/guides/year-only"),
        ArticleRecord(f"{at}/guides/no-date?a=1&b=2"),
        ArticleRecord(f"{at}/guides/slow-tomatoes"),
        ArticleRecord(f"{at}/interviews/ada-okoro", title="Ada Okoro", published_at=published_at),
    ]
    assert runs.fetcher.asked == [f"{at}/{name}" for name in ("sitemap_index.xml", "sitemap.xml", "sitemap-old.xml.gz")]


async def test_what_a_team_has_said_stays(runs: Runs) -> None:
    """A known article only gets what it lacks, and one that was removed stays so."""
    runs.register(known := ArticleRecord(f"{SITE}/a", title="Ours", tier=1))
    runs.removed.add(f"{SITE}/b".encode())
    runs.fetcher.pages[INDEX] = news("a", "Theirs")
    assert await runs.run() == [replace(known, published_at=datetime(2026, 2, 3, tzinfo=UTC))]
    runs.fetcher.pages[INDEX] = sitemap("a", "b")
    assert await runs.run() == []


async def test_moved_and_vanished_articles(runs: Runs) -> None:
    """What redirects to a listed page becomes its alias, once. What is gone is said; nothing is removed."""
    for name in ("a", "old", "gone", "there", "front", "one", "two", "away"):
        runs.register(ArticleRecord(f"{SITE}/{name}", title=name))
    runs.fetcher.pages |= {f"{SITE}/there": b"<p>", INDEX: sitemap("a", "new", "topic")}
    targets = {"old": "new", "front": "", "one": "topic", "two": "topic", "away": "unlisted"}
    runs.fetcher.moved = {f"{SITE}/{name}": f"{SITE}/{target}" for name, target in targets.items()}
    alias = ArticleRecord(f"{SITE}/new", title="old", aliases=[f"{SITE}/old"])
    assert [record for record in await runs.run() if record.aliases] == [alias]
    assert runs.state == OwnSiteState(gone=(f"{SITE}/gone",))
    assert await runs.run() == []
    assert f"{SITE}/old" not in runs.fetcher.asked
    assert len(runs.registered) == 10


@pytest.mark.parametrize("outcome", [Outcome.SERVER_ERROR, Outcome.RATE_LIMITED, Outcome.NOT_FOUND])
async def test_a_listing_that_fails(runs: Runs, outcome: Outcome) -> None:
    """The others are read; but nobody may say that an article is not listed."""
    runs.register(ArticleRecord(f"{SITE}/old"))
    runs.fetcher.pages |= {INDEX: index(PLAIN, NEWS), NEWS: news("n", "N")}
    runs.answers[PLAIN] = Fetched(outcome, PLAIN, status=500)
    assert [record.url for record in await runs.run()] == [f"{SITE}/n"]
    assert runs.fetcher.asked.count(PLAIN) == (1 if outcome is Outcome.NOT_FOUND else 2)
    assert f"{SITE}/old" not in runs.fetcher.asked
    runs.answers.clear()
    runs.fetcher.pages[PLAIN] = sitemap("p")
    assert [record.url for record in await runs.run()] == [f"{SITE}/p"]
    assert f"{SITE}/old" in runs.fetcher.asked


@pytest.mark.parametrize("outcome", [Outcome.NOT_FOUND, Outcome.WRONG_TYPE, Outcome.RATE_LIMITED])
async def test_a_site_of_which_nothing_can_be_read(runs: Runs, outcome: Outcome) -> None:
    """The run fails, each time: nobody takes that for a site without articles."""
    runs.answers[INDEX] = Fetched(outcome, INDEX, status=404, retry_after_s=60)
    for _ in range(3):
        with pytest.raises(PollFailed) as failed:
            await runs.poll()
        assert failed.value.action is outcome.action
        assert SITE in failed.value.detail
    runs.answers.clear()
    assert len(await runs.run()) == 2


@pytest.mark.parametrize(
    "listing",
    [FEED, sitemap("a")[:-9], index("https://other.example/sitemap.xml"), index(*(f"{SITE}/{n}" for n in range(600)))],
    ids=["a feed", "one that breaks off", "another site's", "too many"],
)
async def test_nothing_vanishes_from_a_part(runs: Runs, listing: bytes) -> None:
    """A feed shows the newest articles only, and what can't be read may list more."""
    runs.register(ArticleRecord(f"{SITE}/old"))
    runs.fetcher.pages[INDEX] = listing
    await runs.run()
    assert f"{SITE}/old" not in runs.fetcher.asked
    assert len(runs.fetcher.asked) <= LISTINGS_MAX
    assert runs.letters == (listing == sitemap("a")[:-9])


async def test_all_that_is_not_listed_has_its_turn(tmp_path: Path) -> None:
    """A run looks at so many articles; the next one goes on where it ended, and begins again after the last."""
    runs = Runs(tmp_path, replace(OPTIONS, missing_max=3))
    names = [f"old-{number}" for number in range(7)]
    for name in names:
        runs.register(ArticleRecord(f"{SITE}/{name}"))
        runs.fetcher.pages[f"{SITE}/{name}"] = b"<p>"
    runs.fetcher.pages[INDEX] = sitemap("a")
    looked_at = []
    for _ in range(4):
        await runs.run()
        looked_at += runs.fetcher.asked[1:]
    assert looked_at[:10] == [f"{SITE}/{name}" for name in [*names, *names[:3]]]


async def test_a_position_fits_into_kafka(tmp_path: Path) -> None:
    """With as many listings, with addresses as long as it takes, and more articles than it looks for at once."""
    runs = Runs(tmp_path, replace(OPTIONS, missing_max=200))
    for number in range(UNLISTED_MAX + 300):
        url = f"{SITE}/{number:05}"
        runs.registered[url.encode()] = ArticleRecord(url)
    long = [f"{SITE}/{number:03}{'x' * 970}.xml" for number in range(LISTINGS_MAX - 1)]
    runs.fetcher.pages |= {INDEX: index(*long), **{url: sitemap("new") for url in long[:2]}}
    await runs.run()
    assert 500_000 < runs.largest < POSITION_BYTES_MAX
    runs.fetcher.pages[INDEX] = sitemap("new")
    await runs.run()
    assert runs.state.looked_until == f"{SITE}/00199"


async def test_the_position_fits_with_long_addresses_of_articles(tmp_path: Path) -> None:
    """Those beyond what it takes are not looked at, nor followed."""
    runs = Runs(tmp_path, replace(OPTIONS, missing_max=200))
    for length in (990, 1_010):
        for number in range(100):
            url = f"{SITE}/{number:03}".ljust(length, "x")
            runs.register(ArticleRecord(url))
            runs.fetcher.moved[url] = f"{SITE}/to-{number:03}".ljust(990 if number % 2 else 4_000, "y")
    runs.fetcher.pages[INDEX] = sitemap(*(url.removeprefix(f"{SITE}/") for url in runs.fetcher.moved.values()))
    sent = await runs.run()
    assert sorted(len(record.aliases[0]) for record in sent if record.aliases) == [990] * 50
    assert len(runs.fetcher.asked) == 1 + 100
    assert runs.largest < POSITION_BYTES_MAX
