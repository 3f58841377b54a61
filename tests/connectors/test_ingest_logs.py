"""From a push to its dead letters: the answer, the log and the dead letter name the request by one id."""

import json
from pathlib import Path

from flatline.schema.topics import Topics
from tests.connectors.pushing import NDJSON, SOURCE, TOKEN, running_ingest
from tests.integration.reading import read_all

GOOD = b'{"url_from":"https://a.example/","url_to":"https://yours.example/a"}'
# The reason that is given quotes what is wrong.
HOSTILE = b'{"url_from":"https://a.example/","url_to":"https://yours.example/a","source":"x\\n2026 ERROR \\u009b2J"}'


def test_a_rejected_event_is_followed_from_push_to_dead_letter(
    kafka_bootstrap: str, topics: Topics, environment: dict[str, str], tmp_path: Path
) -> None:
    """By the client's id if that is a plain one, else by a new one. Each line of the log is an object."""
    with running_ingest({**environment, "FLATLINE_LOG_FORMAT": "json"}, topics, tmp_path) as ingest:
        body = b"\n".join([GOOD, HOSTILE, b"no json"])
        named = ingest.push(body, NDJSON, **{"X-Request-Id": "crawl-7"})
        unnamed = ingest.push(body, NDJSON, **{"X-Request-Id": "crawl 7; hostile"})
        fine = ingest.push(GOOD, NDJSON)
        refused = ingest.ask("POST", "/v1/links", GOOD, {"X-Request-Id": "nobody"})
        log = ingest.log()
    assert named.headers["X-Request-Id"] == "crawl-7"
    assert refused.headers["X-Request-Id"] == "nobody"
    ids = [answer.headers["X-Request-Id"] for answer in (named, unnamed)]
    assert len({*ids, fine.headers["X-Request-Id"]}) == 3
    entries = [json.loads(line) for line in log.splitlines()]
    told = [entry for entry in entries if "request_id" in entry]
    assert [entry["request_id"] for entry in told] == ids
    for entry in told:
        assert (entry["source"], entry["accepted"], entry["rejected"]) == (SOURCE, 1, 2)
        assert sum(entry["reasons"].values()) == 2
    letters = [dict(record.headers) for record in read_all(kafka_bootstrap, topics.dead_letters)]
    assert sorted((letter["request_id"], letter["http_index"]) for letter in letters) == sorted(
        (request, index) for request in ids for index in ("1", "2")
    )
    assert TOKEN not in log
