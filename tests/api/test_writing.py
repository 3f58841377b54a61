"""What is said through the API is in the topics when it answers, as any other producer would have sent it."""

from pathlib import Path
from typing import Any

import pytest

from flatline.admin.topics import ensure_topics
from flatline.api.access import ScopedTokens
from flatline.kafka.cluster import KafkaCluster
from flatline.schema import codec
from flatline.schema.topics import Topics
from flatline_connectors.sending.producer import Producer
from tests.api.answering import DESCRIBED, of_log, serving
from tests.api.histories import KEYS, history
from tests.integration.reading import read_all
from tests.readmodel.projecting import NOW_MS, database

TOKEN = "a-token-that-nobody-must-ever-see"

pytestmark = pytest.mark.servers


async def test_what_is_written_is_in_the_topics(kafka_bootstrap: str, namespace: str, tmp_path: Path) -> None:
    """An article is registered, moved, moved back and removed; what can't be taken is refused with its reason."""
    topics, cluster = Topics(namespace=namespace, partitions=2), KafkaCluster(kafka_bootstrap)
    ensure_topics(cluster, topics.all())
    tokens = tmp_path / "tokens"
    tokens.write_text(f"editor,write:{TOKEN}\n")
    made = of_log(history(), database(tmp_path))
    with Producer(cluster, topics, now_ms=lambda: NOW_MS) as producer:
        async with serving(made, tmp_path, ScopedTokens(tokens), producer) as client:
            client.session.headers["Authorization"] = f"Bearer {TOKEN}"

            async def ask(method: str, path: str, body: Any = None) -> tuple[int, Any]:
                answer = await client.request(method, path, json=body)
                said = await answer.json()
                DESCRIBED.check(path.partition("?")[0], answer.status, said, method=method.lower())
                return answer.status, said

            article = {"url": "HTTPS://Yours.example/3?utm_source=x", "title": "<b>New</b>", "tier": 1}
            assert await ask("POST", "/api/v1/articles", article) == (200, {"article": KEYS[3]})
            assert await ask("DELETE", "/api/v1/article?url=yours.example/4") == (200, {"article": KEYS[4]})
            move = {"old": KEYS[5], "new": "https://new.example/5"}
            assert (await ask("POST", "/api/v1/moves", move))[0] == 200
            for method, path, body, status, code in (
                ("POST", "/api/v1/articles", {"title": "no url"}, 422, "missing_field"),
                ("POST", "/api/v1/articles", {"url": "mailto:us@yours.example"}, 422, "invalid_url"),
                ("POST", "/api/v1/moves", {"old": KEYS[5]}, 422, "wrong_type"),
                ("POST", "/api/v1/moves", {"old": KEYS[5], "new": KEYS[5]}, 422, "invalid_value"),
                ("POST", "/api/v1/moves", {**move, "is_undone": True}, 404, "not_found"),
                ("DELETE", "/api/v1/article?url=yours.example/404", None, 404, "not_found"),
            ):
                answered = await ask(method, path, body)
                assert (answered[0], answered[1]["error"]["code"]) == (status, code), (path, body)
    [registered] = read_all(kafka_bootstrap, topics.articles)
    record = codec.articles.decode(registered.value)
    assert (registered.key, record.title, record.tier) == (KEYS[3].encode(), "<b>New</b>", 1)
    [removal] = read_all(kafka_bootstrap, topics.removals)
    assert codec.removals.decode(removal.value).url == KEYS[4]
    [moved] = read_all(kafka_bootstrap, topics.moves)
    assert codec.moves.decode(moved.value).new == "https://new.example/5"
    made.close()
