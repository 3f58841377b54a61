"""What people say of alerts, by command and by API, over a real Kafka, a real worker and a real `flatline serve`."""

import json
import signal
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from flatline.domain.time import to_datetime, to_ms
from flatline.kafka.cluster import KafkaCluster
from flatline.schema import codec
from flatline.schema.partitioning import partition_of
from flatline.schema.topics import Topics
from flatline.schema.verdict import State
from tests.api.answering import DESCRIBED, of_log, serving
from tests.api.histories import HOSTILE, KEYS, history, verdict_of
from tests.api.test_kills import Serving
from tests.integration.reading import read_all
from tests.integration.running import FLATLINE, Installation
from tests.waiting import until

pytestmark = pytest.mark.servers

ARTICLE = "https://yours.example/article"


def _links() -> bytes:
    first = to_datetime(1_700_000_000_000)
    events = [
        {
            "url_from": f"https://site{number}.example/",
            "url_to": ARTICLE,
            "occurred_at": (first + timedelta(days=7 * number)).isoformat(),
        }
        for number in range(40)
    ]
    return "".join(json.dumps(event) + "\n" for event in events).encode()


def test_what_somebody_says_reaches_the_workers(kafka_bootstrap: str, namespace: str, tmp_path: Path) -> None:
    """An alert is listed and marked as retired; said again, nothing is new; then it is taken back."""
    topics = Topics(namespace=namespace, partitions=4)
    with Installation(kafka_bootstrap, namespace, tmp_path) as running:
        running.start(1)
        running.run("links", "import", "-", stdin=_links())
        until("it is judged", lambda: ARTICLE in running.articles())
        said = replace(verdict_of(ARTICLE, reason=HOSTILE[0]), state=State.SILENT)
        with KafkaCluster(kafka_bootstrap).producer() as producer:
            number = partition_of(ARTICLE.encode(), 4)
            value, key = codec.verdicts.encode(said), ARTICLE.encode()
            producer.send(topics.verdicts.name, value, key=key, partition=number).get(60)
        served = Serving(running, tmp_path)
        with served.running(signal.SIGTERM):
            until("all records are read", served.holds_all)

            def flatline(*words: str) -> "subprocess.CompletedProcess[str]":
                environment = {**running.environment, "FLATLINE_PAGE_URL": served.address}
                return subprocess.run(
                    [FLATLINE, *words], env=environment, check=False, capture_output=True, text=True, timeout=120
                )

            def listed() -> list[dict[str, Any]]:
                return [json.loads(line) for line in flatline("alerts", "list", "--json").stdout.splitlines()]

            until("the alert is there", lambda: len(listed()) == 1)
            [alert] = listed()
            assert (alert["subject"], alert["kind"], alert["reason"]) == (ARTICLE, "silent", HOSTILE[0])
            mark = ("alerts", "mark", alert["id"][:8])
            refused = flatline(*mark, "expected")
            assert refused.returncode == 2
            assert "--because" in refused.stderr
            assert flatline("alerts", "mark", "nothing", "right").returncode == 2
            retired = (*mark, "expected", "--because", "retired", "--who", "Ann", "--note", HOSTILE[0])
            assert flatline(*retired).stdout == f"{ARTICLE}: expected, retired.\n"
            until("the worker follows", lambda: "marked as retired" in running.articles()[ARTICLE]["reason"])
            until("it is listed", lambda: listed()[0]["because"] == "retired")
            assert (listed()[0]["marked_by"], listed()[0]["note"]) == ("Ann", HOSTILE[0])
            assert "marked as retired" in json.loads(running.run("explain", ARTICLE, "--json"))["verdict"]["reason"]
            assert len(read_all(kafka_bootstrap, topics.alert_marks)) == 1
            assert flatline(*retired).returncode == 0
            assert len(read_all(kafka_bootstrap, topics.alert_marks)) == 1
            flatline(*mark, "withdrawn")
            until("it is judged again", lambda: "retired" not in running.articles()[ARTICLE]["reason"])
            until("nothing is said of it", lambda: listed()[0]["mark"] is None)
        assert flatline("alerts", "list").returncode == 1


async def test_the_api_takes_marks(kafka_bootstrap: str, namespace: str, tmp_path: Path) -> None:
    """What can't be said is refused with the body that is described, and nothing is written."""
    from flatline.admin.topics import ensure_topics
    from flatline_connectors.sending.producer import Producer
    from tests.readmodel.projecting import NOW_MS, database

    topics, cluster = Topics(namespace=namespace, partitions=2), KafkaCluster(kafka_bootstrap)
    ensure_topics(cluster, topics.all())
    made = of_log(history(), database(tmp_path))
    path = "/api/v1/alerts/{id}/mark"
    with Producer(cluster, topics, now_ms=lambda: NOW_MS) as producer:
        async with serving(made, tmp_path, producer=producer) as client:
            alerts = (await (await client.get("/api/v1/alerts", params={"subject": KEYS[3]})).json())["rows"]
            [alert] = alerts
            assert (alert["kind"], alert["reason"]) == ("silent", HOSTILE[3])

            async def post(number: str, body: Any, **headers: str) -> int:
                answer = await client.post(path.replace("{id}", number), json=body, headers=headers)
                DESCRIBED.check(path, answer.status, await answer.json(), method="post")
                return answer.status

            for body in (
                {},
                {"mark": "perhaps"},
                {"mark": "right", "because": "moved"},
                {"mark": "expected"},
                {"mark": "right", "by": "x" * 201},
                {"mark": "right", "note": "x" * 1_001},
                {"mark": "right", "more": 1},
                [],
            ):
                assert await post(alert["id"], body) == 422, body
            groups = (await (await client.get("/api/v1/alerts", params={"kind": "under_curve"})).json())["rows"]
            for because in ("retired", "moved"):
                assert await post(groups[0]["id"], {"mark": "expected", "because": because}) == 422
            assert await post("0" * 32, {"mark": "right"}) == 404
            assert await post(HOSTILE[2], {"mark": "right"}) == 404
            assert await post(alert["id"], {"mark": "right"}, Origin="https://evil.example") == 403
            assert await post(alert["id"], {"mark": "right"}, Origin="null") == 403
            assert read_all(kafka_bootstrap, topics.alert_marks) == []
            assert await post(alert["id"], {"mark": "expected", "because": "moved", "note": HOSTILE[6]}) == 200
    [record] = read_all(kafka_bootstrap, topics.alert_marks)
    mark = codec.alert_marks.decode(record.value)
    assert (record.key, mark.subject, mark.note) == (alert["id"].encode(), KEYS[3], HOSTILE[6])
    assert to_ms(mark.marked_at) == NOW_MS
    made.close()
