"""A site to crawl, an ingest that is a script, and a Scrapy project that crawls the one for the other."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.http_server import Handler, running_server
from tests.waiting import PATIENCE_S

SPIDER = """
import scrapy

class Site(scrapy.Spider):
    name = "site"

    async def start(self):
        yield scrapy.Request(self.first, self.parse)

    def parse(self, response):
        if self.stop:
            raise scrapy.exceptions.CloseSpider("enough")
        for address in response.css("a.next::attr(href)").getall():
            yield response.follow(address, self.parse)
"""
SETTINGS = """
SPIDER_MODULES = ["project.spiders"]
TELNETCONSOLE_ENABLED = False
DOWNLOAD_DELAY = 0
"""
THREE_LINES = """
EXTENSIONS = {{"flatline_connectors.scrapy_extension.FlatlineExtension": 500}}
FLATLINE_SITES = ["yours.example"]
FLATLINE_INGEST_URL = "http://127.0.0.1:{port}"
"""


@dataclass
class Serving:
    """A server on this machine: what it answers by path, and what it was sent."""

    port: int
    pages: dict[str, tuple[int, str]] = field(default_factory=dict)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    posted: list[tuple[str, list[Any], str]] = field(default_factory=list)


@contextmanager
def serving() -> Iterator[Serving]:
    """Run it for the block. POSTs get ``answers``, and then are taken as an ingest takes them."""
    state = Serving(0)

    class Both(Handler):
        def get(self) -> None:
            status, body = state.pages.get(self.path, (404, ""))
            self.answer(status, "text/html; charset=utf-8", body.encode())

        def post(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            records = [json.loads(line) for line in body.splitlines()]
            status, headers = state.answers.pop(0) if state.answers else (200, {})
            if status == 200:
                state.posted.append((self.path, records, self.headers.get("Authorization", "")))
            answer = {"accepted": len(records), "rejected": []} if status == 200 else {"error": {"message": "no"}}
            self.answer(status, "application/json", json.dumps(answer).encode(), headers)

    with running_server(Both) as at:
        state.port = int(at.rpartition(":")[2])
        yield state


def crawl(folder: Path, first: str, port: int, *, stop: bool = False, more: str = "", token: str = "") -> str:
    """Run the spider in a project in ``folder``, and return its log."""
    (folder / "project" / "spiders").mkdir(parents=True, exist_ok=True)
    for name, text in {
        "scrapy.cfg": "[settings]\ndefault = project.settings\n",
        "project/__init__.py": "",
        "project/spiders/__init__.py": "",
        "project/spiders/site.py": SPIDER,
        "project/settings.py": SETTINGS + THREE_LINES.format(port=port) + more,
    }.items():
        (folder / name).write_text(text)
    command = [
        sys.executable,
        "-m",
        "scrapy",
        "crawl",
        "site",
        "-a",
        f"first={first}",
        "-a",
        f"stop={'1' if stop else ''}",
    ]
    environment = {**os.environ, "FLATLINE_TOKEN": token}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, check=False, text=True, timeout=PATIENCE_S
    )
    assert done.returncode == 0, done.stderr
    return done.stderr
