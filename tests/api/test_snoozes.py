"""Snoozes become silences of a real Alertmanager, whoever reconciles them and however often."""

import asyncio
import json
import re
import signal
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.api.silences import Silence, Silences, changes
from flatline.domain.snoozes import labels_in, labels_of, snooze_id
from flatline.domain.time import to_datetime, to_ms
from flatline.readmodel.queries.snoozes import SnoozeRow
from flatline.schema.alert_mark import AlertKind
from flatline.schema.topics import Topics
from tests.api.test_kills import Serving
from tests.integration.reading import read_all
from tests.integration.running import Installation
from tests.waiting import until

NOW_MS = 1_790_000_000_000
NAMES = ("ArticleSilent", "SourceStale")


def _snooze(name: str, said: int, *, days: int, is_ended: bool) -> SnoozeRow:
    labels = {"alertname": name}
    until_at, said_at = to_datetime(NOW_MS + days * 86_400_000), to_datetime(NOW_MS + said)
    return SnoozeRow(snooze_id(labels), labels, until_at, "[flatline] <b>", "Ann", said_at, is_ended)


class Alertmanager:
    """What an Alertmanager keeps, as far as this goes; ids come in no order."""

    def __init__(self) -> None:
        self.silences: dict[str, Silence] = {}

    def change(self, known: Sequence[SnoozeRow], seen: Sequence[Silence], ids: Sequence[int]) -> None:
        """Have a process that knows some snoozes, and saw some silences, change what it finds wrong."""
        todo = changes(known, seen, now_ms=NOW_MS)
        for snooze, number in zip(todo.missing, ids, strict=False):
            said = Silences("http://unused", _nothing, now_ms=lambda: NOW_MS)._silence(snooze)
            body = {**said, "id": f"{number:06}-{len(self.silences)}", "status": {"state": "active"}}
            made = _silence(body)
            self.silences[made.id] = made
        for number in todo.expired:
            self.silences.pop(number, None)


async def _nothing() -> Sequence[SnoozeRow]:
    return ()


def _silence(body: dict[str, Any]) -> Silence:
    return msgspec.json.decode(json.dumps(body), type=Silence)


records = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from([-1, 1, 7]), st.booleans()), min_size=1, max_size=6
).map(
    lambda said: [
        _snooze(name, at, days=days, is_ended=is_ended) for at, (name, days, is_ended) in enumerate(said, start=1)
    ]
)
steps = st.lists(
    st.tuples(st.integers(0, 6), st.booleans(), st.lists(st.integers(0, 9), min_size=2, max_size=2)), max_size=12
)


@given(records, steps)
def test_processes_that_know_more_or_less_agree(said: list[SnoozeRow], steps: list[Any]) -> None:
    """Each knows the first records, and may act on what it saw a step before. In the end all is as it is said."""
    manager, before = Alertmanager(), list[Silence]()
    foreign = _silence(
        {"id": "x", "status": {"state": "active"}, "comment": "of somebody", "endsAt": "2030-01-01T00:00:00Z"}
    )
    manager.silences["x"] = foreign

    def last(count: int) -> list[SnoozeRow]:
        return list({snooze.id: snooze for snooze in said[:count]}.values())

    for count, is_late, ids in steps:
        seen = list(manager.silences.values())
        manager.change(last(count), before if is_late else seen, ids)
        before = seen
    for _ in range(2):
        manager.change(last(len(said)), list(manager.silences.values()), [1, 2])
    wanted = {(each.id, to_ms(each.snoozed_at)) for each in last(9) if not each.is_ended and to_ms(each.until) > NOW_MS}
    assert manager.silences.pop("x") is foreign
    assert sorted(each.named or ("", 0) for each in manager.silences.values()) == sorted(wanted)
    todo = changes(last(9), manager.silences.values(), now_ms=NOW_MS)
    assert (todo.missing, todo.expired) == ([], [])


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,9}", fullmatch=True), st.text(min_size=1, max_size=20), min_size=1))
def test_matchers_are_read_as_the_page_writes_them(labels: dict[str, str]) -> None:
    """Whatever is in a label; and what says anything else is read as nothing."""
    from flatline.page.views.snoozes import _written

    assert labels_in(_written(labels)) == labels
    for other in ('{a=~"b"}', '{a!="b"}', "{a=b}", '{a="b" c="d"}', '{="b"}', '{a="b}'):
        assert labels_in(other) == {}


def test_an_alert_is_silenced_by_the_labels_that_it_has() -> None:
    """Those of Prometheus' rules: an article's is cut as its metrics' label is."""
    assert labels_of("https://yours.example/a", AlertKind.MASS_LOSS) == {
        "alertname": "ArticleMassLoss",
        "article": "yours.example/a",
    }
    group = labels_of("series/Q&A/more", AlertKind.UNDER_CURVE)
    assert group == {"alertname": "GroupUnderCurve", "kind": "series", "group": "Q&A/more"}


@pytest.mark.servers
async def test_two_processes_and_an_alertmanager(kafka_bootstrap: str, namespace: str, tmp_path: Path) -> None:
    """A snooze by form and by API is one silence, which silences; it is ended by the other process, and stays ended."""
    from tests.deploy.talking import talking

    topics, hostile = Topics(namespace=namespace, partitions=4), 'Q&A: "why" + \\ <b>'
    for folder in ("monitoring", "a", "b"):
        (tmp_path / folder).mkdir()
    async with talking(tmp_path / "monitoring") as talk:
        manager = f"http://{talk.address}"
        settings = {"FLATLINE_ALERTMANAGER_URL": manager}
        with Installation(kafka_bootstrap, namespace, tmp_path, **settings) as running, ExitStack() as opened:
            first, second = Serving(running, tmp_path / "a"), Serving(running, tmp_path / "b")
            for each in (first, second):
                opened.enter_context(each.running(signal.SIGTERM))
            for each in (first, second):
                await asyncio.to_thread(until, "all is read", each.holds_all)
            jar = aiohttp.CookieJar(unsafe=True)  # it takes no cookies of addresses without a name otherwise
            async with aiohttp.ClientSession(cookie_jar=jar) as client:

                def active() -> list[dict[str, Any]]:
                    with urllib.request.urlopen(f"{manager}/api/v2/silences", timeout=10) as answer:
                        found = json.load(answer)
                    return [each for each in found if each["status"]["state"] == "active"]

                async def becomes(what: str, *whys: str) -> list[dict[str, Any]]:
                    def is_so() -> bool:
                        return [each["comment"].partition(" [")[0] for each in active()] == list(whys)

                    await asyncio.to_thread(until, what, is_so)
                    return active()

                labels = {"alertname": "ArticleSilent", "series": hostile}
                until_at = datetime.now(UTC) + timedelta(days=3)
                asked = {"labels": labels, "until": until_at.isoformat(), "why": "<i>", "by": "Ann"}
                path = f"{first.address}/api/v1/snoozes"
                assert (await client.post(path, json=asked)).status == 200
                await asyncio.to_thread(until, "it is known", lambda: first.get("/api/v1/snoozes")["rows"])
                assert (await client.post(path, json=asked)).status == 200
                [silence] = await becomes("it is silenced", "<i>")
                matchers = {each["name"]: each["value"] for each in silence["matchers"]}
                assert (matchers, silence["createdBy"]) == (labels, "Ann")
                assert abs(datetime.fromisoformat(silence["endsAt"]) - until_at) < timedelta(seconds=1)

                # The form of the other process, for the same labels: instead of that, and not beside it.
                filled = f'{{alertname="ArticleSilent",series={json.dumps(hostile)}}}'
                page = await (await client.get(f"{second.address}/snooze", params={"filter": filled})).text()
                [token] = set(re.findall(r'name="form_token" value="(\w+)"', page))
                form = {"filter": filled, "days": "30", "why": "a new reason", "by": "", "form_token": token}
                listed = await (await client.post(f"{second.address}/snooze", data=form)).text()
                assert "a new reason" in listed
                await becomes("there is one, the newer", "a new reason")

                number = snooze_id(labels)
                assert (await client.delete(f"{first.address}/api/v1/snoozes/{number}")).status == 200
                await becomes("it has ended")
                assert (await client.delete(f"{second.address}/api/v1/snoozes/unknown")).status == 404
                for wrong in (
                    {**asked, "until": "2020-01-01T00:00:00Z"},
                    {**asked, "labels": {}},
                    {**asked, "why": ""},
                ):
                    assert (await client.post(path, json=wrong)).status == 422
            assert len(read_all(kafka_bootstrap, topics.snoozes)) == 3
