"""Dead letters that somebody mends and sends again."""

import re
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from flatline.admin.topics import ensure_topics
from flatline.api.access import ScopedTokens
from flatline.domain.policy.policy import Policy
from flatline.domain.time import to_ms
from flatline.kafka.cluster import KafkaCluster
from flatline.readmodel.projection import Projection
from flatline.readmodel.queries.others import DeadLetterFilter, find_dead_letter, list_dead_letters
from flatline.schema import codec, dead_letter
from flatline.schema.topics import Topics
from flatline_connectors.sending.producer import Producer
from tests.api.answering import DESCRIBED, of_log, serving
from tests.api.histories import HOSTILE
from tests.integration.reading import read_all
from tests.readmodel.projecting import NOW_MS, TOPICS, Log, database

TOKEN = "a-token-that-nobody-must-ever-see"
BROKEN = b'{"url_from": "https://x.example/1", "url_to": "mailto:us@yours.example"}'
MENDED = '{"url_from": "https://x.example/1", "url_to": "https://yours.example/a"}'


def _letters(*values: bytes) -> Log:
    log = Log()
    for value in values:
        headers = [("reason", b"invalid_url"), ("topic", TOPICS.links.name.encode()), ("source", b"crawler-a")]
        log.write(TOPICS.dead_letters, value, headers=headers)
    return log


@pytest.mark.servers
async def test_a_mended_record_goes_where_it_belongs(kafka_bootstrap: str, namespace: str, tmp_path: Path) -> None:
    """Checked as any other, with the source that had pushed it; the topic of dead letters knows who sent it again."""
    topics, cluster = Topics(namespace=namespace, partitions=2), KafkaCluster(kafka_bootstrap)
    ensure_topics(cluster, topics.all())
    tokens = tmp_path / "tokens"
    tokens.write_text(f"editor,write:{TOKEN}\nreader:{TOKEN[::-1]}\nbound,write,site/yours.example:{TOKEN}2\n")
    log = _letters(BROKEN, HOSTILE[0].encode())
    made = of_log(log, database(tmp_path))
    path = "/api/v1/dead-letters/{id}/resend"
    with Producer(cluster, topics, now_ms=lambda: NOW_MS) as producer:
        async with serving(made, tmp_path, ScopedTokens(tokens), producer, with_page=True) as client:

            async def resend(number: object, kind: str, value: object, token: str = TOKEN) -> tuple[int, Any]:
                body, headers = {"kind": kind, "value": value}, {"Authorization": f"Bearer {token}"}
                answer = await client.post(path.replace("{id}", str(number)), json=body, headers=headers)
                said = await answer.json()
                DESCRIBED.check(path, answer.status, said, method="post")
                return answer.status, said.get("error", {}).get("code", said)

            for number, kind, value, refused in (
                (0, "links", BROKEN.decode(), (422, "invalid_url")),
                (0, "articles", MENDED, (422, "missing_field")),
                (0, "visits", MENDED, (422, "missing_field")),
                (0, "heartbeats", MENDED, (422, "wrong_type")),
                (0, "links", None, (422, "wrong_type")),
                (0, "links", "", (422, "empty")),
                (0, "links", "\ud800", (422, "wrong_type")),
                (2, "links", MENDED, (404, "not_found")),
                ("9" * 30, "links", MENDED, (404, "not_found")),
                ("-1", "links", MENDED, (404, "not_found")),
            ):
                assert await resend(number, kind, value) == refused, (number, kind, value)
            assert await resend(0, "links", MENDED, TOKEN[::-1]) == (403, "forbidden")
            assert await resend(0, "links", MENDED, TOKEN + "2") == (403, "forbidden")
            assert read_all(kafka_bootstrap, topics.links) == read_all(kafka_bootstrap, topics.dead_letters) == []
            assert await resend(0, "links", MENDED) == (200, {"offset": 0, "article": "https://yours.example/a"})

            # The same by a form of the page, for the other one.
            await client.post("/login", data={"token": TOKEN})
            page = await (await client.get("/sources")).text()
            assert HOSTILE[0] not in page
            [secret] = set(re.findall('name="form_token" value="([0-9a-f]+)"', page))
            form = {"kind": "articles", "value": '{"url": "https://yours.example/b"}'}
            assert (await client.post("/dead-letters/1/resend", data=form, allow_redirects=False)).status == 403
            form["form_token"] = secret
            answer = await client.post("/dead-letters/1/resend", data=form, allow_redirects=False)
            assert (answer.status, answer.headers["Location"]) == (303, "/sources")

            for said in read_all(kafka_bootstrap, topics.dead_letters):
                headers = [(name, value.encode()) for name, value in said.headers.items()]
                log.write(TOPICS.dead_letters, said.value, headers=headers)
            place = TOPICS.dead_letters.name, 0
            Projection(made, TOPICS, Policy()).apply({place: log.batch()[place][2:]})
            assert await resend(0, "links", MENDED) == (409, "already_resent")
            assert "Correct and send again" not in await (await client.get("/sources")).text()
            listed = await (await client.get("/api/v1/dead-letters?resent=true")).json()
    assert [(row["offset"], row["resent_by"]) for row in listed["rows"]] == [(1, "editor"), (0, "editor")]
    [link] = read_all(kafka_bootstrap, topics.links)
    event = codec.links.decode(link.value)
    assert (link.key, event.url_to, event.source) == (
        b"https://yours.example/a",
        "https://yours.example/a",
        "crawler-a",
    )
    [article] = read_all(kafka_bootstrap, topics.articles)
    assert article.key == b"https://yours.example/b"
    made.close()


@given(resent=st.lists(st.integers(0, 6)), cut=st.integers(0, 12))
def test_what_was_sent_again_is_known_however_it_is_read(
    resent: list[int], cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """In one piece or two; of what is no dead letter, such a record says nothing, and it is none itself."""
    log = _letters(*(b"%d" % number for number in range(5)))
    for number in resent:
        log.write(TOPICS.dead_letters, b"", headers=dead_letter.resent(number, by=f"somebody {number}"))
    made = database(tmp_path_factory.mktemp("resent"))
    projection, place, records = Projection(made, TOPICS, Policy()), (TOPICS.dead_letters.name, 0), log.batch()
    for part in (records[place][:cut], records[place][cut:]):
        projection.apply({place: part} if part else {})
    with made.reading() as connection:
        rows = {row.offset: row for row in list_dead_letters(connection, DeadLetterFilter()).rows}
        waiting = list_dead_letters(connection, DeadLetterFilter(resent=False)).rows
        found = find_dead_letter(connection, "3")
    made.close()
    assert sorted(rows) == list(range(5))
    assert {number: row.resent_by for number, row in rows.items() if row.resent_at} == {
        number: f"somebody {number}" for number in resent if number < 5
    }
    assert {row.offset for row in waiting} == set(range(5)) - set(resent)
    assert found == rows[3]
    assert all(to_ms(row.resent_at) == NOW_MS for row in rows.values() if row.resent_at)
