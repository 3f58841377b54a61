"""`flatline watch`: what it writes and says, and that it leads to links."""

import asyncio
import json
import os
import signal
import threading
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from flatline.schema.topics import Topics
from tests.cli.in_process import flatline
from tests.connectors.runtime.test_stream_servers import StreamServer
from tests.connectors.runtime.worlds.hacker_news import ADDRESS, HackerNewsWorld
from tests.connectors.runtime.worlds.wikimedia import WikimediaWorld
from tests.integration.reading import read_all
from tests.local.test_up import FLATLINE, running
from tests.waiting import PATIENCE_S, until


def test_what_it_writes(tmp_path: Path) -> None:
    """It adds to the file, says what each connector can't know, and leaves what is there."""
    file = tmp_path / "connectors.toml"
    file.write_text('# Mine.\n[papers]\nkind = "folder"\nfolder = "."')
    done = flatline("watch", "https://yours.example/blog", "--write-only", "--connectors", file)
    assert (done.returncode, done.stderr) == (0, "")
    assert file.read_text().startswith('# Mine.\n[papers]\nkind = "folder"\nfolder = "."\n\n[own-site]\n')
    written = tomllib.loads(file.read_text())
    assert set(written) == {"papers", "own-site", "hacker-news", "wikimedia", "bluesky"}
    assert written["bluesky"]["sites"] == ["yours.example"]
    assert "It can't know of links that were there before." in done.stdout
    before = file.read_bytes()
    again = flatline("watch", "yours.example", "--write-only", "--connectors", file)
    assert (file.read_bytes(), again.stdout.count("It was there already.")) == (before, 4)
    assert [path.name for path in tmp_path.iterdir()] == ["connectors.toml"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("two words",), 2, "is no site"),
        (("yours.example", "--feed", ""), 1, "feeds"),
        ((), 2, "SITE"),
    ],
)
def test_what_it_refuses(tmp_path: Path, arguments: tuple[str, ...], code: int, message: str) -> None:
    """Nothing is written then, nor where the file can't be read."""
    file = tmp_path / "connectors.toml"
    done = flatline("watch", *arguments, "--write-only", "--connectors", file)
    assert (done.returncode, message in done.stderr, file.exists()) == (code, True, False), done.stderr
    file.write_text("[a")
    assert flatline("watch", "yours.example", "--write-only", "--connectors", file).returncode == 1
    assert file.read_text() == "[a"


@contextmanager
def open_sources(folder: Path) -> Iterator[tuple[str, set[str]]]:
    """Serve a search of Hacker News and a stream of Wikimedia; yield the address, and the pages that link."""
    now = datetime.now(UTC)
    search, stream = HackerNewsWorld(folder), WikimediaWorld(folder)
    for world in (search, stream):
        world.records.clear()
    search.items.clear()
    stream.said.clear()
    search.story(9_000, now - timedelta(hours=1))
    stream.edit("Today", now - timedelta(minutes=2))
    stream.canary(now + timedelta(minutes=1))
    server = StreamServer(stream)
    server.connections = 1  # it refuses the first one

    async def find(request: web.Request) -> web.Response:
        answer = search.fetcher.pages[ADDRESS]
        assert callable(answer)
        return web.Response(body=answer(str(request.url)), content_type="application/json")

    application = web.Application()
    application.router.add_get("/api/v1/search_by_date", find)
    application.router.add_get("/v2/{path:.*}", server.handle)
    serving: Future[tuple[str, Callable[[], object]]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        loop = asyncio.get_running_loop()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        serving.set_result((address, lambda: loop.call_soon_threadsafe(stop.set)))
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    address, end = serving.result(PATIENCE_S)
    try:
        yield address, {name[1] for world in (search, stream) for name in world.records}
    finally:
        end()
        thread.join()


def test_it_leads_to_links(tmp_path: Path, kafka_bootstrap: str, namespace: str) -> None:
    """From nothing but the name of a site. The file says where the sources are, as this machine reaches no others."""
    environment = {
        **os.environ,
        "FLATLINE_KAFKA_BOOTSTRAP": kafka_bootstrap,
        "FLATLINE_NAMESPACE": namespace,
        "FLATLINE_CONNECTORS_FILE": str(tmp_path / "connectors.toml"),
        "FLATLINE_FETCH_NETWORKS": "127.0.0.0/8",
    }
    with open_sources(tmp_path) as (server, pages):
        (tmp_path / "connectors.toml").write_text(
            "".join(
                f'[{kind}]\nkind = "{kind}"\nsites = ["yours.example"]\nserver = "{server}"\n'
                for kind in ("hacker-news", "wikimedia", "bluesky")
            )
        )
        command = [FLATLINE, "watch", "yours.example", "--data-dir", str(tmp_path / "data")]
        with running(command, environment) as (up, shown):
            assert shown.count("It was there already.") == 3

            def linking() -> set[str]:
                stored = read_all(kafka_bootstrap, Topics(namespace=namespace).links)
                return {json.loads(each.value or b"")["url_from"] for each in stored}

            until("links arrive", lambda: linking() >= pages)
            up.send_signal(signal.SIGINT)
            assert up.wait(PATIENCE_S) == 0
    assert linking() == pages
