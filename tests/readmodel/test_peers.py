"""Our series beside those of peers: counted another way, from the events themselves, in both databases."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from flatline.domain.groups.cohorts import AGES_DAYS
from flatline.domain.time import to_ms
from flatline.readmodel.queries.peers import compare_with_peers
from flatline.schema.article_record import ArticleRecord
from flatline.schema.link_event import LinkEvent
from flatline.schema.site_record import SiteRecord
from tests.api.answering import DESCRIBED, serving
from tests.api.histories import HOSTILE
from tests.readmodel.places import Place
from tests.readmodel.plans import plan_of, statements_of
from tests.readmodel.projecting import Log, database, projected

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
PUBLISHED = [BEGIN + timedelta(days=100 * number) for number in range(4)]
SERIES = ("Guides", None)
SITES = {"yours.example": "own", "unknown.example": "own", "peer.example": "peer"}
ARTICLES = {
    f"https://{site}/{number}-{day}": (site, series, published)
    for site in SITES
    for number, series in enumerate(SERIES)
    for day, published in enumerate(PUBLISHED)
}
found = st.lists(
    st.tuples(
        st.sampled_from(sorted(ARTICLES)),
        st.integers(0, (NOW - BEGIN) // timedelta(hours=1)),
        st.sampled_from(["link_found", "import"]),
        st.booleans(),
    ),
    max_size=60,
)


def history(links: list[tuple[str, int, str, bool]]) -> Log:
    """Return a log of two sites of ours, one of them without a record, and a peer's."""
    log = Log()
    log.say(SiteRecord("yours.example"), SiteRecord("peer.example", role="peer"))
    for url, (_, series, published) in ARTICLES.items():
        log.say(ArticleRecord(url, series=series, published_at=published))
    for number, (article, hour, discovery, is_lost) in enumerate(links):
        at = BEGIN + timedelta(hours=hour)
        page = f"https://site{number}.example/"
        log.say(LinkEvent(page, article, occurred_at=at, discovery=discovery))
        if is_lost:
            log.say(LinkEvent(page, article, occurred_at=at + timedelta(minutes=1), change="lost"))
    return log


@settings(max_examples=30, deadline=None)
@given(links=found)
def test_series_are_counted_from_the_events(place: Place, links: list[tuple[str, int, str, bool]]) -> None:
    """By age, month and life, of each site and series; nothing imported is a gain."""
    with place.empty() as made, projected(history(links), made).reading() as connection:
        rows = compare_with_peers(connection, now_ms=to_ms(NOW))
    assert [row.role for row in rows] == ["own"] * 4 + ["peer"] * 2
    assert {(row.site, row.series): row.role for row in rows} == {
        (site, series): role for site, role in SITES.items() for series in SERIES
    }
    new = defaultdict[str, list[datetime]](list)
    for article, hour, discovery, _ in links:
        if discovery == "link_found":
            new[article].append(BEGIN + timedelta(hours=hour))
    for row in rows:
        own = {url: day for url, (site, series, day) in ARTICLES.items() if (site, series) == (row.site, row.series)}
        of_row = [is_lost for article, _, _, is_lost in links if article in own]
        assert (row.articles, row.gained, row.live) == (len(PUBLISHED), len(of_row), of_row.count(False))
        assert row.live_share == (round(of_row.count(False) / len(of_row), 3) if of_row else None)
        months = [f"{at:%Y-%m}" for url in own for at in new[url]]
        assert [f"{each.month:%Y-%m}" for each in row.months] == [f"2025-{m:02}" for m in range(3, 13)] + [
            "2026-01",
            "2026-02",
        ]
        assert [each.gained for each in row.months] == [months.count(f"{each.month:%Y-%m}") for each in row.months]
        first = min((at for url, (site, _, _) in ARTICLES.items() if site == row.site for at in new[url]), default=NOW)
        for age, said in zip(AGES_DAYS, row.ages, strict=True):
            reach = timedelta(days=age)
            reached = [url for url, day in own.items() if first <= day <= NOW - reach]
            gained = sum(at < own[url] + reach for url in reached for at in new[url])
            mean = round(gained / len(reached), 2) if len(reached) >= 3 else None
            assert (said.age_days, said.articles, said.links_per_article) == (age, len(reached), mean)


def test_links_are_counted_in_an_index(tmp_path: Path) -> None:
    """Their rows are wide: to read all of them takes four times as long."""
    made = projected(history([(url, 24 * 200, "link_found", False) for url in ARTICLES]), database(tmp_path))
    with made.reading() as connection:
        asked = statements_of(connection)
        compare_with_peers(connection, now_ms=to_ms(NOW))
        steps = [step for each in list(asked) if "JOIN links" in each[0] for step in plan_of(connection, *each)]
    of_links = [step.partition(" USING ")[2].partition(" (")[0] for step in steps if " links " in step]
    assert of_links == ["COVERING INDEX links_found"]
    made.close()


async def test_the_page_and_the_api_say_the_same(tmp_path: Path) -> None:
    """Without a peer there is what to do about it; names of others stay text."""
    made = database(tmp_path)
    log, names = Log(), [text[:200] for text in HOSTILE]
    async with serving(made, tmp_path, with_page=True) as client:
        assert "flatline sites add peer.example --role peer" in await (await client.get("/peers")).text()
        assert (await (await client.get("/api/v1/peers")).json())["rows"] == []
        log.say(SiteRecord("peer.example", role="peer"))
        log.say(*(ArticleRecord(f"https://peer.example/{n}", series=text) for n, text in enumerate(names)))
        projected(log, made)
        answer = await client.get("/api/v1/peers")
        body = await answer.json()
        DESCRIBED.check("/api/v1/peers", 200, body)
        assert {row["series"] for row in body["rows"]} == {text.replace("\0", "\ufffd") for text in names}
        text = await (await client.get("/peers")).text()
        assert "&lt;script&gt;alert(1)" in text
        assert "<script>alert" not in text
        lines = (await (await client.get("/api/v1/peers?format=csv")).text()).splitlines()
        assert lines[0] == "role,site,series,articles,gained,live,live_share,months,ages"
    made.close()
