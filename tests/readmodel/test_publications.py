"""Authority both ways: counted another way, from the events themselves, in both databases."""

from datetime import timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from flatline.domain.time import to_datetime
from flatline.readmodel.queries.publications import publications_of
from flatline.schema import codec
from flatline.schema.article_record import ArticleRecord
from flatline.schema.group import GroupKind, GroupState, GroupVerdict, Tally
from flatline.schema.link_event import LinkEvent
from flatline.schema.move import Move
from tests.api.answering import DESCRIBED, serving
from tests.readmodel.places import Place
from tests.readmodel.plans import plan_of, statements_of
from tests.readmodel.projecting import NOW_MS, TOPICS, Log, database, projected

NOW = to_datetime(NOW_MS)
OURS = {
    f"https://{site}/{series or 'none'}-{number}": (site, series)
    for site in ("yours.example", "other.example")
    for series in ("Guides", None)
    for number in range(2)
}
THEIRS = [f"https://{site}/{page}" for site in ("one.example", "two.example") for page in ("x", "y")]
pairs = st.tuples(st.sampled_from([*OURS, *THEIRS]), st.sampled_from([*OURS, *THEIRS])).filter(lambda p: p[0] != p[1])


def site_of(url: str) -> str:
    """Return the site of an address."""
    return url.split("/")[2]


def history(found: dict[tuple[str, str], bool]) -> Log:
    """Return a log of links, by page and target, with whether they are live."""
    log = Log()
    log.say(*(ArticleRecord(url, series=series) for url, (_, series) in OURS.items()))
    for (page, target), is_live in found.items():
        log.say(LinkEvent(page, target, occurred_at=NOW - timedelta(days=3)))
        if not is_live:
            log.say(LinkEvent(page, target, occurred_at=NOW - timedelta(days=1), change="lost"))
    return log


@settings(max_examples=25, deadline=None)
@given(found=st.dictionaries(pairs, st.booleans(), max_size=40))
def test_both_ways_are_counted_from_the_events(place: Place, found: dict[tuple[str, str], bool]) -> None:
    """Of a series, which is on two sites, and of a site, which has other pages, too."""
    groups = {
        ("series", "Guides"): {url for url, (_, series) in OURS.items() if series == "Guides"},
        ("site", "yours.example"): {url for url in OURS if site_of(url) == "yours.example"},
    }
    with place.empty() as made, projected(history(found), made).reading() as connection:
        said = {group: publications_of(connection, *group) for group in groups}  # type: ignore[arg-type]
    for group, own in groups.items():
        sites = {site_of(url) for url in own}
        expected = {}
        for domain in {site_of(url) for pair in found for url in pair} - sites:
            given = [pair for pair in found if site_of(pair[0]) == domain and pair[1] in own]
            back = [pair for pair in found if pair[0] in own and site_of(pair[1]) == domain]
            if given or back:
                live, live_back = (sum(found[pair] for pair in each) for each in (given, back))
                expected[domain] = len(given), live, len({target for _, target in given}), len(back), live_back
        assert {
            each.domain: (each.links, each.live, each.articles, each.links_back, each.live_back) for each in said[group]
        } == expected
        assert [each.links for each in said[group]] == sorted((each.links for each in said[group]), reverse=True)


def test_links_are_counted_in_indexes(tmp_path: Path) -> None:
    """Both ways: neither their rows, which are wide, nor all links are read."""
    made = projected(history({(THEIRS[0], url): True for url in OURS}), database(tmp_path))
    with made.reading() as connection:
        asked = statements_of(connection)
        publications_of(connection, "series", "Guides")
        steps = [step for each in list(asked) if "links" in each[0] for step in plan_of(connection, *each)]
    of_links = [step for step in steps if " links " in step]
    assert [step.partition(" USING ")[2].partition(" (")[0] for step in of_links] == [
        "COVERING INDEX links_by_domain",
        "COVERING INDEX links_from_domain",
    ]
    made.close()


def test_pages_that_moved_link_back_from_where_they_were(tmp_path: Path) -> None:
    """A link is reported from the address that its page had."""
    old, new = "https://yours.example/old", "https://yours.example/new"
    log = Log()
    log.say(
        ArticleRecord(old, series="Guides"),
        ArticleRecord(new, series="Guides"),
        Move(old, new, NOW - timedelta(days=9)),
    )
    log.say(LinkEvent(old, THEIRS[0], occurred_at=NOW - timedelta(days=1)))
    made = projected(log, database(tmp_path))
    with made.reading() as connection:
        (row,) = publications_of(connection, "series", "Guides")
    assert (row.domain, row.links, row.links_back) == ("one.example", 0, 1)
    made.close()


async def test_the_api_and_the_page_say_the_same(tmp_path: Path) -> None:
    """Of a group with any name; one that nobody knows has no rows."""
    name = "<script>alert(1)</script>/&="
    log, made = Log(), database(tmp_path)
    log.say(ArticleRecord("https://yours.example/a", series=name))
    log.say(LinkEvent(THEIRS[0], "https://yours.example/a", occurred_at=NOW - timedelta(days=3)))
    tally = Tally(0.0, 0)
    verdict = GroupVerdict(
        GroupKind.SERIES, name, GroupState.NEW, NOW, NOW, "New.", None, None, None, False, 1, {}, tally, tally, tally
    )  # fmt: skip
    log.write(TOPICS.groups, codec.groups.encode(verdict), key=f"series/{name}".encode())
    async with serving(projected(log, made), tmp_path, with_page=True) as client:
        body = await (await client.get("/api/v1/publications", params={"kind": "series", "name": name})).json()
        DESCRIBED.check("/api/v1/publications", 200, body)
        assert [(row["domain"], row["links"]) for row in body["rows"]] == [("one.example", 1)]
        nobody = await (await client.get("/api/v1/publications", params={"kind": "series", "name": "x"})).json()
        assert nobody["rows"] == []
        assert (await client.get("/api/v1/publications?kind=month&name=2026-01")).status == 400
        text = await (await client.get("/groups", params={"authority": f"series/{name}"})).text()
        assert "one.example" in text
        assert "<script>alert" not in text
        path = text.partition('class="button right" href="/api/v1/publications')[2].partition('"')[0]
        again = await (await client.get(f"/api/v1/publications{path.replace('&amp;', '&')}")).json()
        assert again == body
    made.close()
