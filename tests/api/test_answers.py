"""What the API answers is what its own description says, whatever is asked and whatever the records hold."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from flatline.api.access import ScopedTokens
from flatline.api.exports import csv_rows
from flatline.api.routes import ROUTES
from flatline.schema.article_record import ArticleRecord
from flatline_connectors.ingest.auth import TokensError
from tests.api.answering import DESCRIBED, Client, of_log, serving
from tests.api.histories import HOSTILE, KEYS, history
from tests.readmodel.places import Place
from tests.readmodel.projecting import Log, database

TOKEN = "a-token-that-nobody-must-ever-see"


@pytest.fixture(scope="module")
def made(place: Place) -> Any:
    """Make a read model of the history."""
    with place.empty() as empty:
        yield of_log(history(), empty)


@pytest.fixture
async def client(made: Any, tmp_path: Path) -> AsyncIterator[Client]:
    """Serve the API over it."""
    async with serving(made, tmp_path) as client:
        yield client


def _parameters(path: str) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in DESCRIBED.paths[path]["get"]["parameters"]}


words = st.sampled_from(["", "0", "1", "-1", "true", "csv", "2026-01-01", "site", "yours.example", KEYS[3], *HOSTILE])
texts = words | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ASKED = {route.path for route in ROUTES}
paths = st.sampled_from([path for path in DESCRIBED.paths if path in ASKED])


@st.composite
def _requests(draw: st.DrawFn) -> tuple[str, list[tuple[str, str]]]:
    """Return a route with parameters, most of them its own with values that it takes."""
    path = draw(paths)
    given_ = []
    for name, about in _parameters(path).items():
        if about["required"] or draw(st.booleans()):
            schema = about["schema"]
            schema = schema.get("items", schema)
            reference = schema.get("$ref", "").rpartition("/")[2]
            schema = DESCRIBED.document["components"]["schemas"].get(reference, schema)
            own = st.sampled_from([str(each) for each in schema["enum"]]) if "enum" in schema else texts
            given_.append((name, draw(own | texts)))
    if draw(st.integers(0, 9)) == 0:
        given_.append((draw(texts), draw(texts)))
    return path, given_


@pytest.mark.long
@settings(max_examples=100)
@given(requests=st.lists(_requests(), min_size=5, max_size=5))
def test_any_request_has_an_answer_that_is_described(
    requests: list[tuple[str, list[tuple[str, str]]]], made: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No parameter leads to an answer, or to an error, that the description does not have."""

    async def ask() -> None:
        async with serving(made, tmp_path_factory.getbasetemp()) as client:
            for path, parameters in requests:
                answer = await client.get(path, params=parameters)
                assert answer.status in (200, 400, 404), (path, parameters, await answer.text())
                if answer.content_type == "application/json":
                    DESCRIBED.check(path, answer.status, await answer.json())
                else:
                    assert answer.status == 200
                    await answer.read()

    asyncio.run(ask())


@pytest.mark.parametrize("path", ["articles", "links", "groups", "alerts", "dead-letters"])
async def test_pages_follow_on_each_other(client: Client, path: str) -> None:
    """In every order, pages of three have the same rows as the whole list in one: each once."""
    parameter = _parameters(f"/api/v1/{path}").get("sort", {"schema": {"enum": [None]}})
    for sort in parameter["schema"]["enum"]:
        asked = {} if sort is None else {"sort": sort}
        lines = (await (await client.get(f"/api/v1/{path}", params={**asked, "format": "ndjson"})).text()).splitlines()
        rows: list[Any] = []
        page: dict[str, Any] = {"next": ""}
        while page["next"] is not None:
            cursor = {"cursor": page["next"]} if page["next"] else {}
            page = await (await client.get(f"/api/v1/{path}", params={**asked, **cursor, "limit": "3"})).json()
            rows += page["rows"]
        without_quality = [{**row, "quality": None, "why": []} if "quality" in row else row for row in rows]
        assert without_quality == [json.loads(line) for line in lines]
        assert len(lines) == len(set(lines)) > 0


async def test_an_article_has_its_evidence(client: Client) -> None:
    """Any spelling of its address finds it, with windows, curve, history without repeats, visits and groups."""
    found = await (await client.get("/api/v1/article", params={"url": "yours.example/3"})).json()
    assert found["article"]["article"] == KEYS[3]
    assert (found["article"]["gained_total"], found["article"]["live"], found["article"]["lost_total"]) == (4, 3, 1)
    assert [change["state"] for change in found["history"]] == ["silent", "steady"]
    windows = {each["days"]: (each["gained"], each["lost"], each["new_domains"]) for each in found["windows"]}
    assert windows == {1: (0, 1, 0), 7: (1, 1, 1), 28: (3, 1, 3), 90: (4, 1, 4), 365: (4, 1, 4)}
    assert found["curve"][-1]["gained"] == 4
    assert found["visits"] == [{"domain": "site0.example", "visits": 7, "last_on": found["visits"][0]["last_on"]}]
    assert ("site", "under_curve") in [
        (group["kind"], group["verdict"]["state"]) for group in found["groups"] if group["verdict"]
    ]
    before = await (await client.get("/api/v1/article", params={"url": KEYS[3], "on": "2026-09-01"})).json()
    assert {each["days"]: each["gained"] for each in before["windows"]} == {1: 0, 7: 1, 28: 2, 90: 2, 365: 2}


async def test_links_say_who_saw_what_and_how_good_they_are(client: Client) -> None:
    """A link that is lost has the loss with its reason, its source, and the sight of who found it."""
    found = await (await client.get("/api/v1/links", params={"article": KEYS[3], "live": "false"})).json()
    [row] = found["rows"]
    assert [(each["change"], each["source"], each["reason"]) for each in row["changes"]] == [
        ("lost", "vendor", HOSTILE[3]),
        ("gained", "crawler", None),
    ]
    assert [each["source"] for each in row["sources"]] == ["crawler"]
    assert 0 < row["quality"] < 1
    assert row["rel"] == ["nofollow"]
    assert row["anchor"] == HOSTILE[3]


async def test_words_are_found_in_anchors_titles_and_addresses(client: Client) -> None:
    """The last word may be unfinished; quotes and operators of the search are words without a meaning."""

    async def found(path: str, words: str) -> int:
        return len((await (await client.get(f"/api/v1/{path}", params={"q": words})).json())["rows"])

    assert await found("links", "quotes comm") == 6 + 0
    assert await found("links", "site11.exam") == 1
    assert await found("articles", 'alert "script') == 2
    assert await found("articles", "DROP NOT links") == 0
    assert await found("articles", '"') == 0


async def test_a_csv_holds_no_formula(client: Client) -> None:
    """A title that a spreadsheet would take for a formula is text; all others are as they are."""
    body = await (await client.get("/api/v1/articles", params={"format": "csv"})).text()
    titles = {row["article"]: row["title"] for row in csv.DictReader(io.StringIO(body, newline=""))}
    assert titles[KEYS[1]] == f"'{HOSTILE[1]}"
    assert titles[KEYS[5]] == HOSTILE[5]
    assert titles[KEYS[4]] == HOSTILE[4].replace("\0", "\ufffd")
    assert csv_rows([]) == b""


async def test_who_has_the_answer_is_told_so(client: Client) -> None:
    """A second request with the tag of the first has no body."""
    first = await client.get("/api/v1/articles")
    second = await client.get("/api/v1/articles", headers={"If-None-Match": f'"other", {first.headers["ETag"]}'})
    assert (second.status, await second.read()) == (304, b"")
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert first.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("host", "status"), [("evil.example", 421), ("127.0.0.1.evil.example", 421), ("localhost:1", 200), ("[::1]", 200)]
)
async def test_another_name_of_this_machine_is_refused(client: Client, host: str, status: int) -> None:
    """A site whose name leads to this machine reads nothing."""
    assert (await client.get("/api/v1/articles", headers={"Host": host})).status == status


async def test_no_page_of_others_writes(client: Client) -> None:
    """Not without tokens either: a browser says whose page sends a request, and sends no JSON unless it is allowed."""
    for ask, path in ((client.post, "articles"), (client.delete, "article"), (client.post, "moves")):
        for origin in ("https://evil.example", "http://127.0.0.1:3000", "null"):
            assert (await ask(f"/api/v1/{path}", headers={"Origin": origin})).status == 403
    for path in ("articles", "moves", "alerts/0/mark"):
        assert (await client.post(f"/api/v1/{path}", data={"mark": "right"})).status == 415


async def test_tokens_have_scopes_and_can_be_revoked(made: Any, tmp_path: Path) -> None:
    """Only who has a token of the file may read, from any name; a line that is deleted counts no more at once."""
    file = tmp_path / "tokens"
    file.write_text(f"somebody,write:{TOKEN}\nother:{TOKEN[::-1]}\n")
    async with serving(made, tmp_path, ScopedTokens(file)) as client:

        async def status(token: str) -> int:
            headers = {"Host": "flatline.example", "Authorization": f"Bearer {token}"}
            return (await client.get("/api/v1/summary", headers=headers)).status

        async def written(token: str) -> int:
            return (await client.post("/api/v1/moves", headers={"Authorization": f"Bearer {token}"})).status

        assert [await written(token) for token in (TOKEN, TOKEN[::-1], "")] == [415, 403, 401]

        assert [await status(token) for token in (TOKEN, TOKEN[::-1], TOKEN + "x", "")] == [200, 200, 401, 401]
        file.write_text(f"other:{TOKEN[::-1]}\n")
        assert [await status(token) for token in (TOKEN, TOKEN[::-1])] == [401, 200]
    file.write_text(f"somebody,wirte:{TOKEN}\n")
    with pytest.raises(TokensError, match="wirte is no scope"):
        ScopedTokens(file)


async def test_the_feed_goes_on_where_the_reader_was(client: Client) -> None:
    """The first events come at once; with the last one's number, those after it; with another number, a reset."""

    async def read(events: int, **headers: str) -> list[dict[str, str]]:
        found: list[dict[str, str]] = []
        async with client.get("/api/v1/live", headers=headers) as answer:
            assert answer.content_type == "text/event-stream"
            while len(found) < events:
                block = (await answer.content.readuntil(b"\n\n")).decode().strip("\n")
                found.append(dict(line.split(": ", 1) for line in block.split("\n")))
        return found

    first = await read(5)
    again = await read(3, **{"Last-Event-ID": first[1]["id"]})
    assert again == first[2:5]
    assert {json.loads(each["data"])["kind"] for each in first} == {"link"}
    assert (await read(1, **{"Last-Event-ID": "other-7"}))[0]["event"] == "reset"


async def test_without_a_read_model_it_says_so(tmp_path: Path) -> None:
    """Before anything can be answered, requests and the probe are told to come again."""
    async with serving(None, tmp_path) as client:
        answer = await client.get("/api/v1/articles")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
        DESCRIBED.check("/api/v1/articles", 503, await answer.json())
        assert (await client.get("/readyz")).status == 503
        families = {each.name for each in text_string_to_metric_families(await (await client.get("/metrics")).text())}
        assert {"flatline_serve_requests", "flatline_serve_waiting_records", "flatline_serve_current"} <= families


async def test_a_filter_takes_every_word(tmp_path: Path) -> None:
    """Somebody may be called Null, and a cursor is short however long the filters are."""
    log, long = Log(), "\u00df" * 200
    log.say(*(ArticleRecord(f"https://yours.example/{number}", author="null", series=long) for number in range(2)))
    log.say(ArticleRecord("https://yours.example/2"))
    made = of_log(log, database(tmp_path))
    async with serving(made, tmp_path) as client:
        asked = {"author": "null", "series": long, "limit": "1"}
        first = await (await client.get("/api/v1/articles", params=asked)).json()
        second = await (await client.get("/api/v1/articles", params={**asked, "cursor": first["next"]})).json()
        assert [row["article"][-1] for page in (first, second) for row in page["rows"]] == ["0", "1"]
        assert (second["next"], len(first["next"]) < len(long)) == (None, True)
    made.close()


async def test_an_empty_read_model_has_empty_lists(tmp_path: Path) -> None:
    """No rows, no error."""
    made = of_log(Log(), database(tmp_path))
    async with serving(made, tmp_path) as client:
        for path in ("articles", "links", "groups", "sources", "dead-letters"):
            assert await (await client.get(f"/api/v1/{path}")).json() == {"rows": [], "next": None}
        summary = await (await client.get("/api/v1/summary")).json()
        assert summary == {"articles": 0, "states": {}, "links": 0, "live": 0}
    made.close()
