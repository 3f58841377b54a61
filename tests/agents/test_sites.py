"""What site records do in a worker: peers' articles are judged and alert nobody, own ones say who is responsible."""

import json
import re

from flatline.engine.log import Outgoing
from flatline.schema import codec
from flatline.schema.partitioning import partition_of
from flatline.schema.site_record import SiteRecord
from flatline.schema.topics import Topics
from tests.agents.lone_worker import LoneWorker

TOPICS = Topics(partitions=2)
NOW_MS = 1_780_000_000_000
HOSTS = ("yours.example", "blog.yours.example", "peer.example")


def _here(host: str) -> str:
    return next(url for n in range(99) if not partition_of((url := f"https://{host}/{n}").encode(), 2))


def _article(host: str) -> Outgoing:
    return Outgoing(TOPICS.articles.name, 0, None, json.dumps({"url": _here(host)}).encode())


def _site(record: SiteRecord) -> Outgoing:
    return Outgoing(TOPICS.sites.name, 0, record.domain.encode(), codec.sites.encode(record))


def _shown(worker: LoneWorker) -> dict[str, tuple[str, ...]]:
    """Return by host who is responsible for each article that has series of its own."""
    labels = [dict(re.findall(r'(\w+)="([^"]*)"', line)) for line in worker.scrape().splitlines() if "_info{" in line]
    return {
        each["article"].split("/")[0]: (each["owner"], each["channel"], each["time_zone"])
        for each in labels
        if "article" in each
    }


def test_peers_are_judged_and_not_shown() -> None:
    """A record holds at the next scrape, for articles that are known and for later ones, and so does its end."""
    articles = [_article(host) for host in HOSTS]
    nobody = ("", "", "")
    with LoneWorker(TOPICS, now_ms=NOW_MS) as worker:
        worker.take(TOPICS.articles, articles)
        worker.judge_all()
        assert _shown(worker) == dict.fromkeys(HOSTS, nobody)
        own = SiteRecord("yours.example", owner="Docs", channel="docs", time_zone="Europe/Paris")
        worker.take(TOPICS.sites, [_site(own), _site(SiteRecord("peer.example", role="peer"))])
        docs = ("Docs", "docs", "Europe/Paris")
        assert _shown(worker) == {"yours.example": docs, "blog.yours.example": docs}
        assert "flatline_watch_list_left_out{" in worker.scrape()
        worker.take(TOPICS.articles, articles)
        worker.judge_all()
        assert _shown(worker) == {"yours.example": docs, "blog.yours.example": docs}
        verdicts = {record.key for record in worker.written[TOPICS.verdicts.name]}
        assert _here("peer.example").encode() in verdicts
        worker.take(TOPICS.sites, [Outgoing(TOPICS.sites.name, 0, key, None) for key in (b"peer.example", b"none")])
        assert _shown(worker) == {"yours.example": docs, "blog.yours.example": docs, "peer.example": nobody}


def test_nothing_is_shown_before_it_is_known_whose_it_is() -> None:
    """An alert without its channel would go elsewhere, and end when the record is read."""
    with LoneWorker(TOPICS, now_ms=NOW_MS) as worker:
        worker.take(TOPICS.articles, [_article("a.ex")])
        worker.judge_all()
        worker.sites_read.is_current = False
        assert _shown(worker) == {}
        worker.sites_read.is_current = True
        assert _shown(worker).keys() == {"a.ex"}
