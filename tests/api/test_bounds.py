"""A token that is bound to sites or owners reads and changes their articles, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from flatline.api.access import Scope, ScopedTokens
from flatline.domain.time import to_datetime
from flatline.readmodel.queries.bounds import Bounds
from flatline.schema import codec
from flatline.schema.annotation import Annotation
from flatline.schema.article_record import ArticleRecord
from flatline.schema.link_event import LinkEvent
from flatline.schema.move import Move
from flatline.schema.site_record import SiteRecord
from flatline_connectors.ingest.auth import TokensError
from tests.api.answering import Client, of_log, serving
from tests.api.histories import verdict_of
from tests.readmodel.places import Place
from tests.readmodel.projecting import NOW_MS, TOPICS, Log, projected

HOSTS = ("yours.example", "blog.yours.example", "theirs.example", "docs.theirs.example", "elsewhere.example")
ARTICLES = {host: f"https://{host}/article" for host in HOSTS}
MOVED = "https://yours.example/moved-away"
OF_SITE = {"yours.example", "blog.yours.example"}
OF_OWNER = {"docs.theirs.example", "elsewhere.example"}
TOKENS = {
    "of-site": ("site/Yours.example", OF_SITE),
    "of-owner": ("owner/growth", OF_OWNER),
    "of-both": ("owner/growth,site/yours.example", OF_SITE | OF_OWNER),
    "of-nothing": ("site/example", set()),
}


def _token(name: str) -> str:
    return f"{name}-has-a-token-that-is-long"


def _log() -> Log:
    """Return articles with a link and an alert each. Owners are named before their articles come, and after that."""
    log, now = Log(), to_datetime(NOW_MS)
    log.say(SiteRecord("theirs.example", owner="sales"), SiteRecord("docs.theirs.example", owner="growth"))
    log.say(Move(MOVED, ARTICLES["theirs.example"], now), ArticleRecord(MOVED))
    for key in ARTICLES.values():
        log.say(ArticleRecord(key), LinkEvent("https://blog.example/post", key, occurred_at=now))
        log.write(TOPICS.verdicts, codec.verdicts.encode(verdict_of(key)), key=key.encode())
    subjects = [{}, *({"article": key} for key in ARTICLES.values()), *({"site": host} for host in HOSTS)]
    for number, subject in enumerate(subjects):
        value = codec.annotations.encode(Annotation(now.date(), "Redesign", now, **subject))
        log.write(TOPICS.annotations, value, key=b"%d" % number)
    return log


@pytest.fixture(scope="module")
def made(place: Place) -> Any:
    """Make a read model. The owner of one site is named when its article is there already."""
    with place.empty() as empty:
        log = _log()
        of_log(log, empty)
        log.say(SiteRecord("elsewhere.example", owner="growth"))
        projected(log, empty)
        yield empty


@pytest.fixture
async def client(made: Any, tmp_path: Path) -> AsyncIterator[Client]:
    """Serve the API and the page to those who have a token. Nothing can be written: what is allowed says so."""
    file = tmp_path / "tokens"
    lines = [f"{name},write,{bound}:{_token(name)}" for name, (bound, _) in TOKENS.items()]
    file.write_text("\n".join([*lines, f"free,write:{_token('free')}"]))
    async with serving(made, tmp_path, ScopedTokens(file), with_page=True) as client:
        yield client


async def _rows(client: Client, path: str, token: str) -> list[dict[str, Any]]:
    answer = await client.get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {_token(token)}"})
    assert answer.status == 200, await answer.text()
    return list((await answer.json())["rows"])


@pytest.mark.parametrize("name", TOKENS)
async def test_only_their_articles_are_read(client: Client, name: str) -> None:
    """In lists of articles, links and alerts, by any filter; an article of others is not found."""
    keys = {ARTICLES[host] for host in TOKENS[name][1]}
    for path, field in (
        ("articles", "article"),
        ("links", "article"),
        ("links?q=post", "article"),
        ("alerts", "subject"),
    ):
        assert {row[field] for row in await _rows(client, path, name)} == keys, path
        assert len(await _rows(client, path, "free")) == len(HOSTS)
    growth = {row["article"] for row in await _rows(client, "articles?owner=growth", name)}
    assert growth == keys & {ARTICLES[host] for host in OF_OWNER}
    headers = {"Authorization": f"Bearer {_token(name)}"}
    for key in ARTICLES.values():
        answer = await client.get("/api/v1/article", params={"url": key}, headers=headers)
        assert answer.status == (200 if key in keys else 404)


@pytest.mark.parametrize("name", TOKENS)
async def test_only_annotations_on_what_is_theirs_are_read_and_changed(client: Client, name: str) -> None:
    """Those on their articles and sites; what is on everything they see beside their articles, and can't change it."""
    hosts = TOKENS[name][1]
    everyones = await _rows(client, "annotations", "free")
    assert len(everyones) == 2 * len(HOSTS) + 1
    seen = {row["id"] for row in await _rows(client, "annotations", name)}
    headers = {"Authorization": f"Bearer {_token(name)}"}
    for row in everyones:
        host = row["site"] or (row["article"] or "///").split("/")[2]
        assert (row["id"] in seen) == (host in hosts)
        answer = await client.delete(f"/api/v1/annotations/{row['id']}", headers=headers)
        assert (await answer.json())["error"]["code"] == ("read_only" if host in hosts else "forbidden")
        said = {"day": "2026-03-01", "text": "x"} | {on: row[on] for on in ("article", "site") if row[on]}
        answer = await client.post("/api/v1/annotations", json=said, headers=headers)
        assert (await answer.json())["error"]["code"] == ("read_only" if host in hosts else "forbidden")
    for host in hosts:
        answer = await client.get("/api/v1/article", params={"url": ARTICLES[host]}, headers=headers)
        shown = {row["site"] or (row["article"] or "///").split("/")[2] for row in (await answer.json())["annotations"]}
        above = {each for each in HOSTS if host.endswith(f".{each}")}
        assert shown == {"", host} | above


@pytest.mark.parametrize("name", TOKENS)
async def test_only_their_articles_are_changed(client: Client, name: str) -> None:
    """They are registered, removed, marked and snoozed; not with an alias of others, nor by a former address."""
    keys = {ARTICLES[host] for host in TOKENS[name][1]}
    alerts = {row["subject"]: row["id"] for row in await _rows(client, "alerts", "free")}
    snooze = {"until": "2100-01-01T00:00:00Z", "why": "known"}

    async def code(method: str, path: str, body: Any = None) -> str:
        headers = {"Authorization": f"Bearer {_token(name)}"}
        answer = await client.request(method, f"/api/v1/{path}", json=body, headers=headers)
        return str((await answer.json())["error"]["code"])

    for key in ARTICLES.values():
        allowed = "read_only" if key in keys else "forbidden"
        assert await code("POST", "articles", {"url": f"{key}/new"}) == allowed
        assert await code("DELETE", f"article?url={key}") == allowed
        assert await code("POST", f"alerts/{alerts[key]}/mark", {"mark": "right"}) == allowed
        said = await code("POST", f"alerts/{alerts[key]}/snooze", snooze)
        assert said == ("no_alertmanager" if key in keys else "forbidden")
        for other in ARTICLES.values():
            both = {key, other} <= keys
            registered = await code("POST", "articles", {"url": key, "aliases": [f"{other}/old"]})
            assert registered == ("read_only" if both else "forbidden")
    assert await code("POST", "articles", {"url": MOVED}) == "forbidden"


async def test_a_token_that_is_revoked_meanwhile_stays_bound(made: Any, tmp_path: Path) -> None:
    """What it may is decided when its request begins, however long the body takes."""
    file, checked, revoked = tmp_path / "tokens", asyncio.Event(), asyncio.Event()
    file.write_text(f"of-site,write,site/yours.example:{_token('of-site')}")

    class Noted(ScopedTokens):
        def check(self, request: web.Request, scope: Scope) -> Bounds | None:
            bounds = super().check(request, scope)
            checked.set()
            return bounds

    async def body() -> AsyncIterator[bytes]:
        yield b'{"url": "'
        await revoked.wait()
        yield ARTICLES["theirs.example"].encode() + b'"}'

    access = Noted(file)
    async with serving(made, tmp_path, access) as client:
        headers = {"Authorization": f"Bearer {_token('of-site')}", "Content-Type": "application/json"}
        asked = asyncio.create_task(client.post("/api/v1/articles", data=body(), headers=headers))
        await checked.wait()
        file.write_text(f"free,write:{_token('free')}")
        assert not access.is_token(_token("of-site"))
        revoked.set()
        answer = await asked
        assert (await answer.json())["error"]["code"] == "forbidden"


@pytest.mark.parametrize("name", TOKENS)
async def test_all_else_is_refused(client: Client, name: str) -> None:
    """What tells of all articles at once, what changes any, and the pages."""
    headers = {"Authorization": f"Bearer {_token(name)}"}
    for path in ("summary", "groups", "sources", "dead-letters", "precision", "snoozes", "live", "nothing-at-all"):
        assert (await client.get(f"/api/v1/{path}", headers=headers)).status == 403
    for path in ("moves", "snoozes"):
        assert (await client.post(f"/api/v1/{path}", json={}, headers=headers)).status == 403
    assert (await client.delete("/api/v1/snoozes/1", headers=headers)).status == 403
    for path in ("/", "/articles", "/article?url=yours.example/article", "/sources"):
        answer = await client.get(path, headers={"Cookie": f"flatline_token={_token(name)}"})
        assert (answer.status, "yours.example" in await answer.text()) == (403, False)
        free = await client.get(path, headers={"Cookie": f"flatline_token={_token('free')}"})
        assert free.status == 200


@pytest.mark.parametrize("bound", ["site/", "owner/", "site/*", "series/interviews"])
def test_what_binds_nothing_is_refused(tmp_path: Path, bound: str) -> None:
    """A token that was meant to be bound must not be free."""
    file = tmp_path / "tokens"
    file.write_text(f"somebody,{bound}:{_token('somebody')}\n")
    with pytest.raises(TokensError):
        ScopedTokens(file)
