"""What Prometheus is told, of whatever is in the topic."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.discovery.discovery import UnnamedHostError, advertised
from flatline.discovery.instances import Instances
from flatline.domain.time import to_ms
from flatline.schema import codec
from flatline.schema.instance import FORGET_AFTER_S_MIN, Instance
from flatline.schema.rejection import Reason, Rejected

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def an_instance(at: datetime = START, **given: Any) -> Instance:
    """Return a worker that was announced at an instant."""
    values = {"role": "worker", "host": "127.0.0.1", "port": 8711, "started_at": START, "announced_at": at}
    return Instance(**{**values, **given})


def announce(instances: Instances, name: str, instance: Instance, *, recorded: datetime | None = None) -> None:
    """Have it received as a record of when it was announced, or of another time."""
    recorded_ms = to_ms(recorded or instance.announced_at)
    instances.receive(name.encode(), codec.instances.encode(instance), recorded_ms)


def told(instances: Instances) -> dict[str, list[str]]:
    """Return the targets by job."""
    return {group["labels"]["job"]: group["targets"] for group in instances.target_groups()}


def test_roles_are_jobs_and_schemes_are_kept() -> None:
    """Each role and each scheme is a group of its own; what is at the same address is told once."""
    instances = Instances()
    announce(instances, "a", an_instance(host="worker-1"))
    announce(instances, "b", an_instance(host="worker-1"))
    announce(instances, "c", an_instance(host="2001:db8::1"))
    announce(instances, "d", an_instance(host="worker-2", scheme="https"))
    announce(instances, "e", an_instance(role="read-model", port=9000))
    assert instances.target_groups() == [
        {
            "targets": ["127.0.0.1:9000"],
            "labels": {"job": "flatline-read-model", "__scheme__": "http", "__meta_flatline_role": "read-model"},
        },
        {
            "targets": ["[2001:db8::1]:8711", "worker-1:8711"],
            "labels": {"job": "flatline-worker", "__scheme__": "http", "__meta_flatline_role": "worker"},
        },
        {
            "targets": ["worker-2:8711"],
            "labels": {"job": "flatline-worker", "__scheme__": "https", "__meta_flatline_role": "worker"},
        },
    ]


def test_who_ended_is_forgotten_at_once() -> None:
    """A tombstone takes an instance away, and only that one."""
    instances = Instances()
    announce(instances, "a", an_instance(port=1))
    announce(instances, "b", an_instance(port=2))
    instances.receive(b"a", None, to_ms(START))
    instances.receive(b"nobody", None, to_ms(START))
    assert told(instances) == {"flatline-worker": ["127.0.0.1:2"]}


def test_who_died_is_told_until_its_time_has_passed() -> None:
    """Its alert goes on meanwhile. Each instance says itself how long that is."""
    instances = Instances()
    announce(instances, "dead", an_instance(port=1))
    announce(instances, "dead for good", an_instance(port=2, forget_after_s=FORGET_AFTER_S_MIN))
    for hours, ports in ((2, [1, 2]), (3, [1]), (24, [1]), (25, [])):
        announce(instances, "alive", an_instance(START + hours * HOUR, port=3))
        assert told(instances) == {"flatline-worker": [f"127.0.0.1:{port}" for port in [*ports, 3]]}


def test_nobody_is_forgotten_while_nobody_can_announce_anything() -> None:
    """Time is that of the newest record: a Kafka that was away for a week has cost no target."""
    instances = Instances()
    announce(instances, "a", an_instance(port=1))
    announce(instances, "b", an_instance(port=2))
    assert told(instances) == {"flatline-worker": ["127.0.0.1:1", "127.0.0.1:2"]}
    announce(instances, "a", an_instance(START + 24 * 7 * HOUR, port=1))
    assert told(instances) == {"flatline-worker": ["127.0.0.1:1"]}


def test_a_fast_clock_forgets_nobody_that_runs() -> None:
    """Topics take records from an hour ahead at most, which is less than what anybody is remembered for."""
    instances = Instances()
    announce(instances, "right", an_instance(port=1, forget_after_s=FORGET_AFTER_S_MIN))
    announce(instances, "fast", an_instance(START + HOUR, port=2))
    assert told(instances) == {"flatline-worker": ["127.0.0.1:1", "127.0.0.1:2"]}
    # What it says of itself does not have it remembered for longer than others.
    announce(instances, "lying", an_instance(START + 1000 * HOUR, port=4), recorded=START)
    announce(instances, "right", an_instance(START + 25 * HOUR, port=1))
    assert told(instances) == {"flatline-worker": ["127.0.0.1:1", "127.0.0.1:2"]}


@pytest.mark.parametrize("key", [b"", b"\xff", b"k" * 1001])
def test_keys_that_are_no_names_are_rejected(key: bytes) -> None:
    """Nothing of such a record is kept."""
    instances = Instances()
    with pytest.raises(Rejected) as rejection:
        instances.receive(key, codec.instances.encode(an_instance()), to_ms(START))
    assert rejection.value.reason is Reason.INVALID_VALUE
    assert instances.target_groups() == []


_TEXT = st.one_of(
    st.text(max_size=20),
    st.from_regex(r"[a-z]{1,9}([./:@\"\\{}\n %-][a-z0-9]{1,9}){0,4}"),
    st.sampled_from(["::1", "a/b", "host\n", "[::1]", "user@host", "worker", "ingest", "127.0.0.1", "a:1"]),
)


@given(role=_TEXT, host=_TEXT, port=st.integers(-1, 70_000), scheme=_TEXT)
def test_prometheus_is_told_hosts_and_ports_and_nothing_else(role: str, host: str, port: int, scheme: str) -> None:
    """Whatever somebody writes to the topic is rejected, or gives a group as Prometheus documents it."""
    record = json.dumps({
        "role": role, "host": host, "port": port, "scheme": scheme,
        "started_at": START.isoformat(), "announced_at": START.isoformat(),
    }).encode()  # fmt: skip
    instances = Instances()
    try:
        instances.receive(b"somebody", record, to_ms(START))
    except Rejected:
        assert instances.target_groups() == []
        return
    [group] = instances.target_groups()
    assert set(group) == {"targets", "labels"}
    [target] = group["targets"]
    assert re.fullmatch(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}", target)
    assert re.fullmatch(r"flatline-[a-z0-9-]+", group["labels"]["job"])
    assert group["labels"]["__scheme__"] in ("http", "https")


def test_a_machine_is_reached_where_it_listens() -> None:
    """By its name, where it listens at all of its addresses."""
    assert [advertised(host) for host in ("127.0.0.1", "[::1]", "worker-1.example")] == [
        "127.0.0.1",
        "::1",
        "worker-1.example",
    ]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "[::]"])
def test_a_machine_that_listens_everywhere_goes_by_its_name(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """A name that no URL can hold is an error that says which setting to use instead."""
    monkeypatch.setattr("socket.gethostname", lambda: "machine-7")
    assert advertised(host) == "machine-7"
    monkeypatch.setattr("socket.gethostname", lambda: "machine 7")
    with pytest.raises(UnnamedHostError) as error:
        advertised(host)
    assert "FLATLINE_ADVERTISED_HOST" in error.value.remedy
