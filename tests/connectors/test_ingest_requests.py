"""Everything about a request to the ingest but its events: who, how much, how often, and what it says when."""

import gzip
import http.client
import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from flatline.local import probes
from flatline.local.ports import LOOPBACK
from flatline.schema import codec
from flatline.schema.topics import Topics
from tests.connectors.examples import link
from tests.connectors.pushing import (
    FLATLINE,
    NDJSON,
    SOURCE,
    TOKEN,
    RunningIngest,
    authorized,
    begin_push,
    read_answer,
    running_ingest,
)
from tests.integration.reading import read_all
from tests.waiting import PATIENCE_S, until

EVENT = link("https://a.example/", "https://b.example/")


@pytest.fixture
def strict(topics: Topics, environment: dict[str, str], tmp_path: Path) -> Iterator[RunningIngest]:
    """Run an ingest with narrow limits."""
    limits = limited(MAX_BODY_BYTES=2000, MAX_BATCH_EVENTS=10, MAX_EVENTS_PER_S=20, MAX_REQUESTS=1)
    with running_ingest({**environment, **limits}, topics, tmp_path) as running:
        yield running


def limited(**limits: float) -> dict[str, str]:
    """Return the variables of these limits."""
    return {f"FLATLINE_INGEST_{name}": str(value) for name, value in limits.items()}


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer é"],
)
def test_strangers_are_turned_away(ingest: RunningIngest, authorization: str | None) -> None:
    """Without a token, or with one that is not exactly right, the answer is 401, whatever else is sent."""
    headers = {} if authorization is None else {"Authorization": authorization.encode().decode("latin-1")}
    for path in ("/v1/links", "/v1/heartbeats"):
        answer = ingest.ask("POST", path, b"nonsense", headers)
        assert (answer.status, answer.code) == (401, "unauthorized")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_tokens_are_never_logged(ingest: RunningIngest) -> None:
    """Neither good nor broken requests leave a token in what the process prints."""
    broken = f"POST /v1/links HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\x00\r\n\r\n"
    for request in (broken, broken.replace("\r\nHost", f" {TOKEN}\r\nHost"), f"{TOKEN}\r\n\r\n"):
        with socket.create_connection((LOOPBACK, ingest.port), timeout=PATIENCE_S) as connection:
            connection.sendall(request.encode())
            assert b" 400 " in connection.recv(1000)
    assert ingest.push(b"nonsense").status == 400
    assert ingest.ask("GET", f"/{TOKEN}", headers=authorized()).status == 404
    assert TOKEN not in ingest.log()
    assert "Traceback" not in ingest.log()


def test_whoever_hangs_up_is_no_bug_of_ours(ingest: RunningIngest) -> None:
    """A client that goes before its body is there counts as its own mistake, and alerts nobody."""

    def counted() -> int:
        answered = re.findall(r'requests_total{code="400"} (\d+)', str(ingest.ask("GET", "/metrics").body))
        return int(answered[0]) if answered else 0

    before = counted()
    with ingest.connect() as connection:
        begin_push(connection, 9)
    until("it is counted", lambda: counted() == before + 1)
    assert "Traceback" not in ingest.log()


def test_tokens_are_read_again_when_they_change(topics: Topics, environment: dict[str, str], tmp_path: Path) -> None:
    """A new token counts at once and an old one no longer; a file with a mistake changes nothing."""
    other = "another-token-of-a-new-crawler=="

    def status(token: str) -> int:
        return ingest.ask("POST", "/v1/links", b"[]", {**authorized(), "Authorization": f"bearer {token}"}).status

    with running_ingest(environment, topics, tmp_path) as ingest:
        ingest.tokens_file.write_text(f"new-crawler:{other}\n")
        assert (status(TOKEN), status(other)) == (401, 200)
        ingest.tokens_file.write_text(f"# oops\n{other}\n")
        assert (status(TOKEN), status(other)) == (401, 200)
        assert "line 2" in ingest.log()
        ingest.tokens_file.unlink()
        assert status(other) == 200
        ingest.tokens_file.write_text(f"new-crawler:{TOKEN}\n")
        ingest.tokens_file.chmod(0o644)
        ingest.process.send_signal(signal.SIGHUP)
        assert (status(TOKEN), status(other)) == (200, 401)
        assert "chmod 600" in ingest.log()
        assert not {TOKEN, other} & set(ingest.log().replace(":", " ").split())


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        pytest.param(b"nonsense", {}, 400, "bad_json", id="no JSON"),
        pytest.param(b"", {}, 400, "bad_json", id="nothing"),
        pytest.param(EVENT + EVENT, {}, 400, "bad_json", id="two objects"),
        pytest.param(b"[" + EVENT, {}, 400, "bad_json", id="half an array"),
        pytest.param(b"[" * 100_000, {}, 400, "bad_json", id="too deep"),
        pytest.param(EVENT, {"Content-Encoding": "gzip"}, 400, "bad_gzip", id="no gzip"),
        pytest.param(gzip.compress(EVENT)[:-4], {"Content-Encoding": "gzip"}, 400, "bad_gzip", id="half a gzip"),
        pytest.param(gzip.compress(EVENT) + b"x", {"Content-Encoding": "gzip"}, 400, "bad_gzip", id="gzip and more"),
        pytest.param(gzip.compress(b"") * 300, {"Content-Encoding": "gzip"}, 413, "too_complex", id="many gzips"),
        pytest.param(EVENT, {"Content-Encoding": "br"}, 415, "unsupported_encoding", id="another encoding"),
        pytest.param(EVENT, {"Content-Type": "text/plain"}, 415, "unsupported_type", id="another type"),
        pytest.param(b"[" + b" " * 8_388_608 + b"]", {}, 413, "body_too_large", id="too large"),
        pytest.param(
            gzip.compress(b"[" + b" " * 8_388_608 + b"]"),
            {"Content-Encoding": "gzip"},
            413,
            "body_too_large",
            id="too large when unpacked",
        ),
        pytest.param(b"[" + b"1," * 10_000 + b"1]", {}, 413, "too_many_events", id="too many"),
        pytest.param(b"1\n" * 10_001, {"Content-Type": NDJSON}, 413, "too_many_events", id="too many lines"),
    ],
)
def test_bodies_that_are_refused(
    ingest: RunningIngest, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    """A body that can't be taken apart is refused as a whole, with a code for programs and a message for people."""
    answer = ingest.push(body, **headers)
    assert (answer.status, answer.code) == (status, code)
    assert answer.body["error"]["message"]


def test_a_bomb_is_not_unpacked(ingest: RunningIngest) -> None:
    """A small body that unpacks to gigabytes is refused without unpacking it."""
    bomb = gzip.compress(bytes(400_000_000), compresslevel=1)
    before = resident_bytes(ingest)
    answer = ingest.push(bomb, **{"Content-Encoding": "gzip"})
    assert (answer.status, answer.code) == (413, "body_too_large")
    assert resident_bytes(ingest) - before < 100_000_000


def resident_bytes(ingest: RunningIngest) -> int:
    """Return the largest memory that the process has ever had."""
    status = Path(f"/proc/{ingest.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def test_an_array_is_not_unpacked_either(ingest: RunningIngest) -> None:
    """A body within the limit that is an array of millions is taken apart no further than the limit."""
    bomb = gzip.compress(b"[" + b"1," * (4 * 1024 * 1024 - 2) + b"1]")
    before = resident_bytes(ingest)
    answer = ingest.push(bomb, **{"Content-Encoding": "gzip"})
    assert (answer.status, answer.code) == (413, "too_many_events")
    assert resident_bytes(ingest) - before < 40_000_000


def test_bytes_in_flight_are_bounded(topics: Topics, environment: dict[str, str], tmp_path: Path) -> None:
    """Bodies that are still coming count as they come; when they are gone there is room again."""
    limits = limited(MAX_BYTES_IN_FLIGHT=3_000, MAX_BODY_BYTES=2_000)
    with (
        running_ingest({**environment, **limits}, topics, tmp_path) as ingest,
        ingest.connect() as first,
        ingest.connect() as second,
    ):

        def held() -> float:
            shown = str(ingest.ask("GET", "/metrics").body)
            return float(re.findall(r"(?m)^flatline_ingest_body_bytes_in_flight (\S+)", shown)[0])

        assert ingest.push(b" " * 1_500 + b"[]").status == 200
        for slow in (first, second):
            slow.request("POST", "/v1/links", headers={**authorized(), "Content-Length": "1600"})
            slow.send(b" " * 1_400)
        until("both are there", lambda: held() == 2_800)
        full = ingest.push(b" " * 1_500 + b"[]")
        assert (full.status, full.code, full.headers["Retry-After"]) == (503, "too_busy", "1")
        for slow in (first, second):
            slow.send(b" " * 198 + b"[]")
            assert read_answer(slow).status == 200
        assert held() == 0
        assert ingest.push(b" " * 1_500 + b"[]").status == 200
        assert 'flatline_ingest_refused_total{code="too_busy"} 1.0' in str(ingest.ask("GET", "/metrics").body)


def test_bytes_per_s_are_bounded(topics: Topics, environment: dict[str, str], tmp_path: Path) -> None:
    """As they are when unpacked: a source that sends few events of many bytes is slowed down, too."""
    with running_ingest({**environment, **limited(MAX_BYTES_PER_S=1_000)}, topics, tmp_path) as ingest:
        packed = gzip.compress(b" " * 100_000 + b"[]")
        assert ingest.push(packed, **{"Content-Encoding": "gzip"}).status == 200
        slow = ingest.push(packed, **{"Content-Encoding": "gzip"})
        assert (slow.status, slow.code) == (429, "too_many_bytes_per_s")
        assert 90 <= int(slow.headers["Retry-After"]) <= 100


def test_slow_heads_keep_nobody_out(topics: Topics, environment: dict[str, str], tmp_path: Path) -> None:
    """More connections than there may be, which never finish a request's head, and a sender that wants to push."""
    limits = limited(MAX_CONNECTIONS=20, HEADER_TIMEOUT_S=1)
    with running_ingest({**environment, **limits}, topics, tmp_path) as ingest, ExitStack() as held:
        slow = [held.enter_context(socket.create_connection((LOOPBACK, ingest.port))) for _ in range(60)]
        for each in slow:
            with suppress(OSError):
                each.sendall(b"POST /v1/links HTTP/1.1\r\nHost: x\r\n")
        assert ingest.push(EVENT).status == 200
        for each in slow:
            each.settimeout(PATIENCE_S)
            with suppress(ConnectionError):
                said = each.recv(1_000)
                assert b" 503 " in said or b" 408 " in said
        shown = str(ingest.ask("GET", "/metrics").body)
        assert 'flatline_ingest_connections_closed_total{reason="too_many"}' in shown
        assert 'flatline_ingest_connections_closed_total{reason="slow_head"}' in shown


def test_other_paths_and_methods(ingest: RunningIngest) -> None:
    """They are errors with the one error body."""
    missing = ingest.ask("GET", "/v2/links")
    assert (missing.status, missing.code) == (404, "not_found")
    wrong = ingest.ask("GET", "/v1/links")
    assert (wrong.status, wrong.code, wrong.headers["Allow"]) == (405, "method_not_allowed", "POST")


def test_limits(strict: RunningIngest) -> None:
    """Too many events, too much, too often, too many at a time: each has its status, and says when to come again."""
    assert strict.push(b"[" + b",".join([EVENT] * 11) + b"]").code == "too_many_events"
    assert strict.push(b" " * 2001 + EVENT).code == "body_too_large"
    # Twenty a second, and forty saved up.
    pushed = [strict.push(b"[" + b",".join([EVENT] * 10) + b"]") for _ in range(12)]
    assert [answer.status for answer in pushed[:4]] == [200] * 4
    busy = next(answer for answer in pushed if answer.status != 200)
    assert (busy.status, busy.code, busy.headers["Retry-After"]) == (429, "too_many_events_per_s", "1")

    with strict.connect() as slow:
        begin_push(slow, 2)
        full = strict.push(EVENT)
        assert (full.status, full.code, full.headers["Retry-After"]) == (503, "too_busy", "1")
        slow.send(b"[]")
        assert read_answer(slow).status in {200, 429}
    until("it takes events again", lambda: strict.push(EVENT).status == 200)


@pytest.mark.parametrize(
    ("options", "code", "complaint"),
    [
        ([], 2, "--no-auth"),
        (["--no-auth", "--host=0.0.0.0"], 2, "0.0.0.0"),
        (["--tokens-file=/no/such/file"], 1, "/no/such/file can't be read"),
    ],
)
def test_it_does_not_start_open(environment: dict[str, str], options: list[str], code: int, complaint: str) -> None:
    """Without tokens it serves nobody but this machine, and that only when told to."""
    done = subprocess.run(
        [FLATLINE, "ingest", *options], env=environment, capture_output=True, check=False, timeout=PATIENCE_S
    )
    assert done.returncode == code
    assert complaint in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_a_port_that_is_taken(ingest: RunningIngest, topics: Topics, environment: dict[str, str]) -> None:
    """It says so and ends."""
    assert topics
    command = [FLATLINE, "ingest", "--no-auth", f"--port={ingest.port}"]
    done = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=PATIENCE_S)
    assert done.returncode == 1
    said = done.stderr.decode()
    assert said.startswith(f"Error: The ingest can't listen on {LOOPBACK}:{ingest.port}: ")
    assert "address already in use.\nChoose another address" in said


def test_without_tokens(topics: Topics, environment: dict[str, str], tmp_path: Path, kafka_bootstrap: str) -> None:
    """With --no-auth everyone on this machine is the source `anonymous`."""
    with running_ingest(environment, topics, tmp_path, "--no-auth") as ingest:
        assert ingest.ask("POST", "/v1/links", EVENT, {"Content-Type": "application/json"}).status == 200
    (record,) = read_all(kafka_bootstrap, topics.links)
    assert codec.links.decode(record.value).source == "anonymous"


def test_health_and_metrics(strict: RunningIngest) -> None:
    """It lives, is ready, and counts requests by status and events by source, outcome and reason."""
    assert strict.ask("GET", "/livez").status == 200
    assert strict.ask("GET", "/readyz").status == 200
    strict.push(b"[" + EVENT + b",{}]")
    strict.push(b"nonsense")
    strict.ask("POST", "/v1/links")
    exposed = str(strict.ask("GET", "/metrics").body).splitlines()
    assert {
        'flatline_ingest_requests_total{code="200"} 1.0',
        'flatline_ingest_requests_total{code="400"} 1.0',
        'flatline_ingest_requests_total{code="401"} 1.0',
        f'flatline_ingest_events_total{{outcome="accepted",source="{SOURCE}"}} 1.0',
        f'flatline_ingest_events_total{{outcome="rejected",source="{SOURCE}"}} 1.0',
        f'flatline_ingest_rejected_total{{reason="missing_field",source="{SOURCE}"}} 1.0',
        "flatline_ingest_request_duration_seconds_count 3.0",
    } <= set(exposed)


def test_an_orderly_end(topics: Topics, environment: dict[str, str], tmp_path: Path, kafka_bootstrap: str) -> None:
    """On SIGTERM no more connections are taken, the request that is under way is finished, and the exit code is 0."""
    with running_ingest(environment, topics, tmp_path) as ingest, ingest.connect() as early, ingest.connect() as late:
        late.request("GET", "/livez")
        assert read_answer(late).status == 200
        begin_push(early, len(EVENT))
        ingest.process.send_signal(signal.SIGTERM)
        until("it takes no connections", lambda: not probes.accepts(f"{LOOPBACK}:{ingest.port}"))
        with pytest.raises(ConnectionRefusedError):
            ingest.push(EVENT)
        late.request("POST", "/v1/links", EVENT, authorized())
        refused = read_answer(late)
        assert (refused.status, refused.code, refused.headers["Retry-After"]) == (503, "stopping", "1")
        early.send(EVENT)
        assert read_answer(early).body == {"accepted": 1, "rejected": []}
        assert ingest.process.wait(PATIENCE_S) == 0
    assert len(read_all(kafka_bootstrap, topics.links)) == 1
    assert ingest.log().splitlines() == [f"The ingest listens on http://{LOOPBACK}:{ingest.port}"]


def test_all_that_was_acknowledged_is_in_kafka(
    topics: Topics, environment: dict[str, str], tmp_path: Path, kafka_bootstrap: str
) -> None:
    """Of 32 clients that push when the process is killed, no event that was answered with 200 is missing."""
    acknowledged: list[bytes] = []
    pushed: list[bytes] = []

    def push(client: int) -> None:
        with ingest.connect() as connection, suppress(OSError, http.client.HTTPException):
            for number in range(10_000):
                events = [link(f"https://{client}.example/{number}/{n}", "https://b.example/") for n in range(20)]
                pushed.extend(events)
                connection.request("POST", "/v1/links", b"\n".join(events), authorized(NDJSON))
                assert read_answer(connection).body == {"accepted": 20, "rejected": []}
                acknowledged.extend(events)

    with running_ingest(environment, topics, tmp_path) as ingest:
        clients = [threading.Thread(target=push, args=(number,)) for number in range(32)]
        for client in clients:
            client.start()
        while len(acknowledged) < 10_000:
            time.sleep(0.01)
        os.kill(ingest.process.pid, signal.SIGKILL)
        for client in clients:
            client.join(PATIENCE_S)
    stored = {with_source_removed(record.value or b"") for record in read_all(kafka_bootstrap, topics.links)}
    assert set(acknowledged) <= stored <= set(pushed)
    assert len(acknowledged) < len(pushed)


def with_source_removed(value: bytes) -> bytes:
    """Return an event as it was pushed."""
    return value.replace(b',"source":"%b"' % SOURCE.encode(), b"")
