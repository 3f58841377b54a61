"""Annotations are made and removed through the API and the page, by whoever may, as events in a topic."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flatline.admin.topics import ensure_topics
from flatline.api.access import ScopedTokens
from flatline.domain.policy.policy import Policy
from flatline.kafka.cluster import KafkaCluster
from flatline.readmodel.database import Database
from flatline.readmodel.projection import Projection
from flatline.schema import codec
from flatline.schema.annotation import Annotation
from flatline.schema.topics import Topics
from flatline_connectors.sending.producer import Producer
from tests.api.answering import DESCRIBED, Client, of_log, serving
from tests.api.histories import HOSTILE, KEYS, history
from tests.integration.reading import read_all
from tests.readmodel.projecting import NOW_MS, TOPICS, Log, database

pytestmark = pytest.mark.servers

EDITOR, READER = "a-token-that-nobody-must-ever-see", "a-token-of-somebody-who-only-reads"
PATH = "/api/v1/annotations"
NOTE = {"day": "2026-03-01", "text": HOSTILE[0]}


class Served:
    """An API over a read model that follows the annotations' topic of a Kafka when it is told to."""

    def __init__(self, bootstrap: str, topics: Topics, log: Log, made: Database, client: Client) -> None:
        self._bootstrap = bootstrap
        self._topics = topics
        self._log = log
        self._made = made
        self.client = client

    async def ask(self, method: str, path: str, body: Any = None, token: str = EDITOR) -> tuple[int, Any]:
        """Return the status, and the code of an error or the answer. It is as it is described."""
        headers = {"Authorization": f"Bearer {token}"}
        answer = await self.client.request(method, path, json=body, headers=headers)
        said = await answer.json()
        described = f"{PATH}/{{id}}" if method == "DELETE" else path.partition("?")[0]
        DESCRIBED.check(described, answer.status, said, method=method.lower())
        return answer.status, said.get("error", {}).get("code", said)

    def records(self) -> list[Annotation]:
        """Return what is in the topic."""
        return [codec.annotations.decode(each.value) for each in read_all(self._bootstrap, self._topics.annotations)]

    def follow(self) -> None:
        """Have the read model follow the topic."""
        written = self._log.records[TOPICS.annotations.name]
        for record in read_all(self._bootstrap, self._topics.annotations)[len(written) :]:
            self._log.write(TOPICS.annotations, record.value, key=record.key)
        place = TOPICS.annotations.name, 0
        Projection(self._made, TOPICS, Policy()).apply({place: self._log.batch()[place]})


@asynccontextmanager
async def served(bootstrap: str, namespace: str, folder: Path) -> AsyncIterator[Served]:
    """Serve a history for the block."""
    topics, cluster = Topics(namespace=namespace, partitions=2), KafkaCluster(bootstrap)
    ensure_topics(cluster, topics.all())
    tokens = folder / "tokens"
    tokens.write_text(f"editor,write:{EDITOR}\nreader:{READER}\n")
    log = history()
    made = of_log(log, database(folder))
    with Producer(cluster, topics, now_ms=lambda: NOW_MS) as producer:
        async with serving(made, folder, ScopedTokens(tokens), producer, with_page=True) as client:
            yield Served(bootstrap, topics, log, made, client)
    made.close()


async def test_annotations_are_made_and_removed(kafka_bootstrap: str, namespace: str, tmp_path: Path) -> None:
    """Each is one record, however often it is said; its articles have it, until it is removed, and after it is back."""
    async with served(kafka_bootstrap, namespace, tmp_path) as api:
        status, said = await api.ask("POST", PATH, {**NOTE, "article": f"{KEYS[3]}?utm_source=x#y", "by": "Ann"})
        assert (status, said["is_removed"]) == (200, False)
        api.follow()
        assert await api.ask("POST", PATH, {**NOTE, "article": KEYS[3], "by": "Bob"}) == (200, said)
        assert (
            await api.ask("POST", PATH, {**NOTE, "text": "of a site", "day": "2026-03-02", "site": "www.YOURS.example"})
        )[0] == 200
        assert (await api.ask("POST", PATH, {**NOTE, "text": "of all", "day": "2031-01-31"}))[0] == 200
        assert len(api.records()) == 3
        api.follow()
        _, listed = await api.ask("GET", PATH)
        assert [(row["text"], row["article"], row["site"], row["by"]) for row in listed["rows"]] == [
            ("of all", None, None, "editor"),
            ("of a site", None, "yours.example", "editor"),
            (HOSTILE[0], KEYS[3], None, "Ann"),
        ]
        for key in (KEYS[3], KEYS[4]):
            _, detail = await api.ask("GET", f"/api/v1/article?url={key}")
            assert detail["annotations"] == [row for row in listed["rows"] if row["article"] in (None, key)]
        headers = {"Authorization": f"Bearer {READER}"}
        csv = await (await api.client.get(f"{PATH}?format=csv&day_until=2026-12-31", headers=headers)).text()
        assert len(csv.splitlines()) == 3

        assert await api.ask("DELETE", f"{PATH}/{said['id']}") == (200, {**said, "is_removed": True})
        api.follow()
        assert await api.ask("DELETE", f"{PATH}/{said['id']}") == (404, "not_found")
        assert len((await api.ask("GET", PATH))[1]["rows"]) == 2
        assert await api.ask("POST", PATH, {**NOTE, "article": KEYS[3]}) == (200, said)
        api.follow()
        assert (await api.ask("GET", PATH))[1]["rows"][2]["by"] == "editor"


async def test_what_can_not_be_said_is_refused(kafka_bootstrap: str, namespace: str, tmp_path: Path) -> None:
    """With its reason, and nothing is written."""
    async with served(kafka_bootstrap, namespace, tmp_path) as api:
        for body, refused in (
            ({}, (422, "wrong_type")),
            ({**NOTE, "text": ""}, (422, "wrong_type")),
            ({**NOTE, "text": "x" * 1_001}, (422, "wrong_type")),
            ({**NOTE, "text": "\ud800"}, (422, "wrong_type")),
            ({**NOTE, "day": "2026-02-30"}, (422, "wrong_type")),
            ({**NOTE, "day": "1989-01-01"}, (422, "invalid_time")),
            ({**NOTE, "by": "x" * 201}, (422, "wrong_type")),
            ({**NOTE, "more": 1}, (422, "wrong_type")),
            ({**NOTE, "site": "yours.example/blog"}, (422, "invalid_value")),
            ({**NOTE, "site": HOSTILE[0]}, (422, "invalid_url")),
            ({**NOTE, "site": "yours.example", "article": KEYS[3]}, (422, "invalid_value")),
            ({**NOTE, "article": "https://yours.example/404"}, (404, "not_found")),
            ({**NOTE, "article": HOSTILE[0]}, (404, "not_found")),
        ):
            assert await api.ask("POST", PATH, body) == refused, body
        assert await api.ask("POST", PATH, NOTE, READER) == (403, "forbidden")
        assert await api.ask("DELETE", f"{PATH}/nothing") == (404, "not_found")
        assert await api.ask("DELETE", f"{PATH}/nothing", token=READER) == (403, "forbidden")
        assert api.records() == []


async def test_forms_make_and_remove_annotations(kafka_bootstrap: str, namespace: str, tmp_path: Path) -> None:
    """Of the session that they are from alone, and what they lack is told."""
    async with served(kafka_bootstrap, namespace, tmp_path) as api:
        await api.client.post("/login", data={"token": EDITOR})

        async def send(path: str, **fields: str) -> int:
            answer = await api.client.post(path, data=fields, allow_redirects=False)
            if answer.status == 303:
                assert answer.headers["Location"].rpartition("#")[2] == "annotations"
            return answer.status

        page = await (await api.client.get("/article", params={"url": KEYS[3]})).text()
        [secret] = set(re.findall('name="form_token" value="([0-9a-f]+)"', page))
        form = {"article": KEYS[3], "site": "yours.example", "on": "site", "day": "2026-03-02", "text": " by form "}
        assert await send("/annotate", **form) == 403
        form["form_token"] = secret
        for wrong in ({"on": "nothing"}, {"day": "yesterday"}, {"text": "  "}, {"by": "x" * 201}):
            assert await send("/annotate", **form | wrong) == 422, wrong
        assert await send("/annotate", **form) == 303
        api.follow()
        [row] = (await api.ask("GET", f"{PATH}?article={KEYS[3]}"))[1]["rows"]
        assert (row["text"], row["site"], row["article"]) == ("by form", "yours.example", None)
        of_row = {"annotation": row["id"], "article": KEYS[3]}
        assert await send("/annotate/remove", **of_row) == 403
        assert await send("/annotate/remove", form_token=secret, **of_row) == 303
        api.follow()
        assert (await api.ask("GET", PATH))[1]["rows"] == []
        last = api.records()[-1]
        assert (last.is_removed, last.by, last.site, last.day) == (True, "editor", "yours.example", date(2026, 3, 2))
