"""A site moves in the middle of a run of two workers, one is killed, and back: against a count of what was sent."""

import json
import random
from collections import defaultdict
from pathlib import Path
from typing import Final

from kafka import KafkaProducer

from flatline.kafka.cluster import KafkaCluster
from flatline.readmodel.latest_verdicts import latest_verdicts
from flatline.schema.topics import Topics
from tests.integration.running import Installation
from tests.waiting import until

ARTICLES: Final = 60
LINKS: Final = 3_000
OLD, NEW = "https://old.example", "https://new.example"
Pair = tuple[str, str]  # the referring page, and the address that it links to


def _links(rng: random.Random, host: str) -> list[Pair]:
    """Return links to one of the addresses of a site, some of them more than once."""
    return [(f"https://page{rng.randrange(LINKS)}.example/", f"{host}/{rng.randrange(ARTICLES)}") for _ in range(LINKS)]


def _lines(links: list[Pair]) -> bytes:
    return b"\n".join(json.dumps({"url_from": page, "url_to": url}).encode() for page, url in links)


def _counted(links: list[Pair], *, is_moved: bool) -> dict[str, int]:
    """Count distinct pages by the address that an article has."""
    pages: defaultdict[str, set[str]] = defaultdict(set)
    for page, url in links:
        pages[url.replace(OLD, NEW) if is_moved else url].add(page)
    return {url: len(found) for url, found in pages.items()}


def test_a_site_moves_and_moves_back(kafka_bootstrap: str, namespace: str, tmp_path: Path) -> None:
    """What was known of the old addresses counts for the new ones, and later links do; undone, each has its own."""
    rng, sent = random.Random(12), list[Pair]()
    topics = Topics(namespace=namespace, partitions=4)
    with Installation(kafka_bootstrap, namespace, tmp_path) as running:

        def gained() -> dict[str, int]:
            verdicts = latest_verdicts(KafkaCluster(kafka_bootstrap), topics.verdicts)
            return {verdict.article: verdict.gained_total for verdict in verdicts}

        def send(host: str) -> None:
            links = _links(rng, host)
            sent.extend(links)
            running.run("links", "import", "-", stdin=_lines(links))

        for number in (1, 2):
            running.start(number)
        running.wait_ready(1, 2)
        send(OLD)
        until("the old site is known", lambda: gained() == _counted(sent, is_moved=False))
        assert "Nothing was changed" in running.run("sites", "move", "old.example", "new.example")
        assert json.loads(running.run("sites", "moves", "--json") or "null") is None

        running.run("sites", "move", "old.example", "new.example", "--yes")
        running.kill(2)  # whatever it was about to copy
        send(OLD)
        running.start(2)
        send(NEW)
        until("the site has moved", lambda: gained() == _counted(sent, is_moved=True))
        explained = json.loads(running.run("explain", f"{OLD}/7", "--json"))
        assert explained["verdict"]["article"] == f"{NEW}/7"
        assert explained["verdict"]["gained_total"] == _counted(sent, is_moved=True)[f"{NEW}/7"]

        # In another spelling, and on whatever partition the key hashes to.
        with_key = KafkaProducer(bootstrap_servers=kafka_bootstrap)
        with_key.send(topics.articles.name, key=b"http://www.new.example/7/?utm_source=x", value=None).get(60)
        with_key.close()
        running.run("articles", "remove", f"{OLD}/8", "--yes")
        left = {url: n for url, n in _counted(sent, is_moved=True).items() if url not in {f"{NEW}/7", f"{NEW}/8"}}
        until("two are forgotten", lambda: gained() == left)
        running.run("links", "import", "-", stdin=_lines([("https://late.example/", f"{NEW}/8")]))
        running.restart()
        listed = {url: row["gained_total"] for url, row in running.articles().items()}
        assert listed == left, "a later link alone brings nothing back"
        running.run("articles", "add", f"{NEW}/8", "--title", "Again")
        until("it is back", lambda: gained() == {**left, f"{NEW}/8": 1})

        running.run("sites", "undo", "old.example", "new.example", "--yes")
        own = _counted(sent, is_moved=False)
        del own[f"{NEW}/7"]
        until("each has its own again", lambda: gained() == {**own, f"{NEW}/8": 1})
