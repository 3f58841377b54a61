"""From a repository, feeds and webmention.io to verdicts, through a real Kafka and a real worker."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.cli.in_process import flatline
from tests.connectors.fetching.hostile import PUBLIC
from tests.connectors.git.made import Made, make
from tests.http_server import Handler, running_server
from tests.integration.running import Installation

SITE = "https://pub.example"
PAGES = {
    "/feed": "<rss version='2.0'><channel><title>F</title><item><link>http://{host}/post</link>"
    "<description>A summary …</description></item></channel></rss>",
    "/post": f"<p>A whole page, with <a href='{SITE}/b'>a link</a>.",
    "/api/mentions.jf2": msgspec.json.encode(
        {
            "children": [
                {
                    "wm-id": 7,
                    "wm-source": "https://reply.example/1",
                    "wm-target": f"{SITE}/c",
                    "wm-received": "2026-01-02T03:04:05Z",
                }
            ]
        }
    ).decode(),
}


class _Elsewhere(Handler):
    """A feed, the page that it summarises, and webmention.io; there is no robots.txt."""

    def get(self) -> None:
        path = self.path.partition("?")[0]
        body = PAGES.get(path, "").replace("{host}", self.headers["Host"]).encode()
        kinds = {"/feed": "application/rss+xml", "/post": "text/html; charset=utf-8"}
        self.answer(200 if path in PAGES else 404, kinds.get(path, "application/json"), body)


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """Run a server that may be fetched from, and return its address."""
    with running_server(_Elsewhere, PUBLIC) as at:
        yield f"http://{at}"


def test_each_source_reaches_a_verdict(kafka_bootstrap: str, namespace: str, tmp_path: Path, elsewhere: str) -> None:
    """Links of a history, of a page behind a summary and of a mention are judged; a second run finds nothing new."""
    texts = [f"[a]({SITE}/a)", f"[a]({SITE}/a) [b]({SITE}/b)", f"[b]({SITE}/b)"]
    make(tmp_path / "blog", [Made({"p.md": text}) for text in texts])
    (tmp_path / "token").write_text("the token\n")
    file = tmp_path / "connectors.toml"
    file.write_text(
        f"""
[blog]
kind = "git"
repo = "blog"
pages = ["{{path}}.md = https://news.example/{{path}}/"]
sites = ["pub.example"]

[feeds]
kind = "feeds"
feeds = ["{elsewhere}/feed"]
sites = ["pub.example"]

[mentions]
kind = "webmention-io"
server = "{elsewhere}"
token = {{ file = "token" }}
sites = ["pub.example"]
"""
    )
    settings = {"FLATLINE_CONNECTORS_FILE": str(file), "FLATLINE_FETCH_NETWORKS": f"{PUBLIC}/32"}
    with Installation(kafka_bootstrap, namespace, tmp_path, **settings) as installation:
        installation.start(1)
        first, second = (
            [flatline("connect", "once", name, **installation.environment) for name in ("blog", "feeds", "mentions")]
            for _ in range(2)
        )
        articles = installation.articles()
        repo, keys = (
            str(tmp_path / "blog"),
            ("--set", "sites=pub.example", "--set", "pages={path}.md=https://x.example/{path}"),
        )
        typed = [
            flatline("connect", "once", "git", "--repo", repo, *keys, *dry, **installation.environment)
            for dry in (("--dry-run",), (), ())
        ]
    assert [(done.returncode, done.stderr) for done in (*first, *second)] == [(0, "")] * 6
    assert [done.stdout.partition(" link")[0].split()[-1] for done in first] == ["3", "1", "1"]
    counts = {url: (article["gained_total"], article["lost_total"]) for url, article in articles.items()}
    assert counts == {f"{SITE}/a": (1, 1), f"{SITE}/b": (2, 0), f"{SITE}/c": (1, 0)}
    assert all(article["state"] for article in articles.values())
    assert [done.stdout for done in second] == [second[0].stdout] * 3
    assert [done.returncode for done in typed] == [0, 0, 0], typed
    shown = [msgspec.json.decode(line)["record"]["url_to"] for line in typed[0].stdout.splitlines()]
    assert shown == [f"{SITE}/a", f"{SITE}/b", f"{SITE}/a"]
    assert [done.stdout for done in typed[1:]] == [first[0].stdout, second[0].stdout]
