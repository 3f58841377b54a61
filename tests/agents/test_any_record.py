"""No record of any topic ends a worker: what can't be taken is said so once, and what is good beside it counts."""

import json
from collections import Counter
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.agents import survey
from flatline.domain.groups.survey import VALUES
from flatline.domain.state.article import FORMAT_BYTE
from flatline.domain.time import DAY_MS, to_datetime
from flatline.engine.batch_writer import batch_bytes_max
from flatline.engine.log import Outgoing
from flatline.kafka.skipped_batch import SkippedBatch
from flatline.schema import codec
from flatline.schema.dead_letter import KEY_BYTES_MAX, VALUE_BYTES_MAX
from flatline.schema.group import GroupKind, GroupPart, GroupState, GroupVerdict, SurveyRound, Tally
from flatline.schema.partitioning import partition_of
from flatline.schema.rejection import Reason
from flatline.schema.topics import Topic, Topics
from flatline.schema.verdict import State
from tests.agents.lone_worker import LoneWorker, Read
from tests.examples import examples

TOPICS = Topics(partitions=2)
NOW_MS = 1_780_000_000_000  # 2026-05-28
NOW = to_datetime(NOW_MS)


def _here(site: str) -> str:
    """Return an article's address that belongs on partition 0."""
    return next(url for n in range(99) if not partition_of((url := f"https://{site}/{n}").encode(), 2))


ARTICLE, OTHER_ARTICLE = _here("good.example"), _here("yours.example")
TALLY = Tally(3.0, 1)


def _json(record: object) -> dict[str, object]:
    return json.loads(codec.links.encode(record))  # type: ignore[arg-type, no-any-return]


# Records of each topic with every field that it knows.
WHOLE: dict[Topic, list[dict[str, object]]] = {
    TOPICS.links: [
        {
            "url_from": "https://site.example/page",
            "url_to": OTHER_ARTICLE,
            "version": 1,
            "id": "1",
            "change": "gained",
            "occurred_at": "2026-05-01T00:00:00Z",
            "observed_at": "2026-05-02T00:00:00Z",
            "discovery": "link_found",
            "anchor": "a good read",
            "context": "somebody says at some length that this is a good read",
            "rel": ["ugc"],
            "placement": "content",
            "page": {"title": "T", "author": "A", "published_at": "2026-05-01T00:00:00Z", "type": "post"},
            "authority": 50,
            "lost_reason": "gone",
            "source": "crawler",
        }
    ],
    TOPICS.articles: [
        {
            "url": OTHER_ARTICLE,
            "version": 1,
            "title": "T",
            "published_at": "2026-01-01T00:00:00Z",
            "author": "A",
            "series": "S",
            "strategy": "Y",
            "tier": 1,
            "aliases": ["https://former.example/a"],
        }
    ],
    TOPICS.removals: [{"url": OTHER_ARTICLE, "removed_at": "2026-01-01T00:00:00Z", "version": 1}],
    TOPICS.moves: [
        {
            "old": "https://yours.example/*",
            "new": "https://ours.example/*",
            "decided_at": "2026-01-01T00:00:00Z",
            "version": 1,
            "is_alias": False,
            "is_undone": False,
        }
    ],
    TOPICS.sites: [
        {
            "domain": "yours.example",
            "version": 1,
            "role": "own",
            "aliases": ["ours.example"],
            "owner": "Team",
            "channel": "team",
            "time_zone": "Europe/Paris",
            "listings": ["https://yours.example/feed"],
            "series": [{"path": "/notes", "series": "Notes"}],
        }
    ],
    TOPICS.alert_marks: [
        {
            "subject": OTHER_ARTICLE,
            "kind": "silent",
            "since": "2026-01-01T00:00:00Z",
            "mark": "expected",
            "marked_at": "2026-01-01T00:00:00Z",
            "version": 1,
            "because": "retired",
            "by": "somebody",
            "note": "N",
        }
    ],
    TOPICS.visits: [
        {
            "url": OTHER_ARTICLE,
            "day": "2026-05-01",
            "visits": 3,
            "domain": "site.example",
            "url_from": "https://site.example/",
            "version": 1,
            "source": "analytics",
        }
    ],
    TOPICS.heartbeats: [
        {
            "source": "crawler",
            "sent_at": "2026-05-28T00:00:00Z",
            "seen_until": "2026-05-28T00:00:00Z",
            "version": 1,
            "period_s": 3600,
            "pages_seen": 1,
            "errors": 0,
        }
    ],
    TOPICS.group_parts: [
        _json(GroupPart(GroupKind.SITE, "yours.example", 1, NOW, {State.STEADY: 3}, [1.0] * VALUES)),
        _json(SurveyRound(1, NOW, 1)),
    ],
    TOPICS.groups: [
        _json(
            GroupVerdict(
                GroupKind.SITE,
                "yours.example",
                GroupState.ON_CURVE,
                since=NOW - timedelta(days=9),
                judged_at=NOW,
                reason="because",
                chance=0.5,
                stretch_days=28,
                stretch=TALLY,
                suppressed=False,
                articles=3,
                states={State.STEADY: 3},
                last_7=TALLY,
                last_28=TALLY,
                last_90=TALLY,
            )
        )
    ],
}

TIMES = (
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "0001-01-01",
    "1969-12-31T23:59:59.999Z",
    "1991-08-05",
    "2026-02-30T00:00:00Z",
    "2016-12-31T23:59:60Z",
    "2062-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
    "9999-12-31T23:59:59.999999-14:00",
    "9999-12-31",
)
NUMBERS = (0, -1, 0.5, 1e-320, 1e15, 1e308, -1e308, 2**31, 2**53, 2**63, 2**64, -(2**70), 10**400, float("inf"))
TEXTS = (
    "",
    " ",
    "\0",
    "a\nb",
    '"\\',
    "\u202e\U0001f600",
    "\ud800",
    "x" * 201,
    "x" * 5_000,
    "mailto:x",
    "https://",
    "http://[::1]/",
    "https://a.example:99999/",
    f"https://{'a.' * 126}example/",
    f"https://a.example/{'%00' * 1_300}",
    "https://xn--.example/\0",
    "0/series/x",
)
HUGE = (b"[" * 9_999, b" " * 70_000, b"x" * 5_000_000)
OTHERS = (None, True, [], {}, [None], ["x"] * 33, [1e308] * 999, {"title": 1}, {"steady": -1}, {"steady": 2**64})

anything = st.one_of(*map(st.sampled_from, (TIMES, NUMBERS, TEXTS, OTHERS)), st.text(max_size=30), st.floats())
headers = st.lists(st.tuples(st.text(max_size=9), st.none() | st.binary(max_size=9)), max_size=3)
timestamps = st.none() | st.sampled_from([-1, 0, -(2**63), 2**63 - 1, 1_700_000_000, NOW_MS * 1_000, NOW_MS + DAY_MS])
keys = st.sampled_from([None, b"", b"\0x", b"\xff", OTHER_ARTICLE.encode(), b"0/site/a.example", b"1", b"k" * 99_999])


def absurd(usual: object) -> st.SearchStrategy[object]:
    """Return what may stand in place of a usual value: mostly of its kind, and often just within what is allowed."""
    if isinstance(usual, str):
        alike: st.SearchStrategy[object] = st.sampled_from(TIMES if usual.startswith("2026-") else TEXTS)
    elif isinstance(usual, list):
        alike = st.lists(st.sampled_from(usual) | st.sampled_from(NUMBERS), max_size=2 * len(usual))
    elif isinstance(usual, dict):
        alike = st.fixed_dictionaries({field: absurd(value) for field, value in usual.items()})
    else:
        alike = st.sampled_from(NUMBERS)
    return alike | alike | alike | anything


@st.composite
def values(draw: st.DrawFn, topic: Topic) -> bytes | None:
    """Draw a record's value: one that is whole but for some of its fields, one that is broken, or any bytes."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.none() | st.binary(max_size=99) | st.sampled_from(HUGE))
    record = dict(draw(st.sampled_from(WHOLE[topic])))
    for field in draw(st.lists(st.sampled_from([*record, "unknown"]), max_size=3)):
        record[field] = draw(absurd(record.get(field, "")))
    for field in draw(st.lists(st.sampled_from(list(record)), max_size=1)):
        del record[field]
    value = json.dumps(record, ensure_ascii=draw(st.booleans())).encode(errors="surrogatepass")
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(value)))
        value = value[:at] + draw(st.sampled_from([b"", b"\xff", b"\0", b'"', b"\\ud800"]))
    return value


@st.composite
def batches(draw: st.DrawFn) -> tuple[Topic, list[Outgoing]]:
    """Draw records of one of the topics that a worker reads."""
    topic = draw(st.sampled_from(list(WHOLE)))
    count = draw(st.integers(1, 6))
    return topic, [
        Outgoing(topic.name, 0, draw(keys), draw(values(topic)), draw(timestamps), draw(headers)) for _ in range(count)
    ]


def _good(number: int) -> dict[Topic, Outgoing]:
    """Return good records of an article's life, which nothing beside them may disturb."""
    link = {"url_from": f"https://site{number}.example/", "url_to": ARTICLE, "source": "good"}
    visits = {"url": ARTICLE, "domain": f"site{number}.example", "day": "2026-05-01", "visits": 1}
    article = {"url": ARTICLE, "title": f"Edition {number}"}
    return {
        topic: Outgoing(topic.name, 0, None, json.dumps(record).encode())
        for topic, record in ((TOPICS.links, link), (TOPICS.visits, visits), (TOPICS.articles, article))
    }


@pytest.fixture(autouse=True)
def short_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every commit that judged all articles end a round of the survey."""
    monkeypatch.setattr(survey, "ROUND_S_MIN", 0.0)


FIELDS = [
    pytest.param(topic, number, field, id=f"{topic.name.split('.')[1]}-{number}-{field}")
    for topic, records in WHOLE.items()
    for number, record in enumerate(records)
    for field in record
]


@pytest.mark.parametrize(("topic", "number", "field"), FIELDS)
def test_each_field(topic: Topic, number: int, field: str) -> None:
    """Each field in turn is anything, in records that are whole but for it, each of them about something else."""
    usual = WHOLE[topic][number]
    values: list[object] = [*TIMES, *NUMBERS, *TEXTS, *OTHERS]
    if isinstance(usual[field], list):
        values += [[*usual[field][:length], value] for value in NUMBERS for length in (0, len(usual[field]) - 1)]  # type: ignore[index]
    if isinstance(usual[field], dict):
        values += [{**usual[field], each: value} for each in usual[field] for value in values]  # type: ignore[dict-item]
    records = []
    for about, value in enumerate(values):
        record = {**usual, **_about(usual, about), field: value}
        key = f"1/site/{about}" if "kind" in usual else "1"
        records.append(Outgoing(topic.name, 0, key.encode(), json.dumps(record).encode()))
    _live([(topic, records)])


def _about(usual: dict[str, object], number: int) -> dict[str, object]:
    """Return what makes a record be about something else."""
    names: dict[str, object] = {"url": _here(f"a{number}.example"), "url_to": _here(f"a{number}.example")}
    names |= {"source": f"crawler-{number}", "name": f"a{number}.example", "url_from": f"https://b{number}.example/"}
    return {field: name for field, name in names.items() if field in usual}


@examples(60)
@given(st.lists(batches(), min_size=1, max_size=6))
def test_any_records(sent: list[tuple[Topic, list[Outgoing]]]) -> None:
    """Whatever is read: nothing is raised, what is written can be written, and good records beside it count."""
    _live(sent)


@pytest.mark.parametrize("topic", [TOPICS.links, TOPICS.articles, TOPICS.visits, TOPICS.removals, TOPICS.copies])
def test_a_batch_that_was_not_unpacked(topic: Topic) -> None:
    """It is one dead letter, which says which records are missing; what comes after it counts."""
    skipped = SkippedBatch(17, NOW_MS, "the records 3 to 17 were not read")
    with LoneWorker(TOPICS, now_ms=NOW_MS) as worker:
        worker.deliver(topic, [skipped])
        for good_topic, good in _good(0).items():
            worker.deliver(good_topic, [Read(18, NOW_MS, good.key, good.value)])
        worker.commit()
        _check_good(worker, links=1)
        [letter] = worker.written[TOPICS.dead_letters.name]
        words = {name: word.decode() for name, word in letter.headers}
        assert (words["topic"], words["offset"]) == (topic.name, "17")
        assert (words["reason"], words["detail"]) == ("too_long", skipped.detail)


def _live(sent: list[tuple[Topic, list[Outgoing]]]) -> None:
    """Have a worker read all of that, with good records in between, live on for a while, and look at what it did."""
    read: dict[str, list[Read]] = {topic.name: [] for topic in WHOLE}
    with LoneWorker(TOPICS, now_ms=NOW_MS) as worker:
        for number, (topic, records) in enumerate(sent):
            read[topic.name] += worker.take(topic, records)
            for good_topic, good in _good(number).items():
                read[good_topic.name] += worker.take(good_topic, [good])
            worker.ms += 60_000
            worker.commit()
        events = _link_events(worker)
        _live_on(worker)
        _check_written(worker)
        _check_fates(worker, read, link_events=events)
        _check_good(worker, links=len(sent))


def _live_on(worker: LoneWorker) -> None:
    """Commit, be scraped, and be restarted, on days to come."""
    for days in (0, 1, 400):
        worker.ms += days * DAY_MS
        worker.commit()
        worker.commit()
        worker.scrape()
        worker.start()


def _check_good(worker: LoneWorker, *, links: int) -> None:
    """Everything good was taken, and is still known."""
    article = worker.partition.peek(ARTICLE.encode())
    assert article is not None
    assert article.totals.referring_domains == article.totals.gained == links
    assert len(article.visits.sent().senders) == links
    assert article.header.registration.title == f"Edition {links - 1}"


def _check_written(worker: LoneWorker) -> None:
    """Everything that was written fits its topic, and says what its topic's readers can read."""
    readers = {TOPICS.verdicts: codec.verdicts, TOPICS.groups: codec.groups}
    for topic in TOPICS.all():
        for record in worker.written[topic.name]:
            assert batch_bytes_max(record) <= topic.max_message_bytes
            if topic in readers and record.value is not None:
                readers[topic].decode(record.value)


def _check_fates(worker: LoneWorker, read: dict[str, list[Read]], *, link_events: int) -> None:
    """Each record of the applied topics was taken, sent on, or dead-lettered: once, with its bytes and a reason."""
    letters = worker.written[TOPICS.dead_letters.name]
    by_origin = {}
    for letter in letters:
        words = {name: word.decode() for name, word in letter.headers}
        origin = words["topic"], int(words["offset"])
        assert origin not in by_origin
        by_origin[origin] = words
        record = read[words["topic"]][int(words["offset"])]
        assert letter.value == (record.value or b"")[:VALUE_BYTES_MAX]
        assert words.get("cut_at_bytes", str(VALUE_BYTES_MAX)) == str(VALUE_BYTES_MAX)
        assert ("cut_at_bytes" in words) == (len(record.value or b"") > VALUE_BYTES_MAX)
        assert letter.key == (record.key if record.key is None else record.key[:KEY_BYTES_MAX])
        assert int(words["timestamp_ms"]) == record.timestamp
        assert letter.timestamp_ms is None  # it is as old as it is written
        assert words["reason"] in set(Reason)
    links = TOPICS.links.name
    fates = Counter(topic for topic, _ in by_origin)
    forwarded = Counter(record.topic for record in worker.forwarder.forwarded)
    assert link_events + fates[links] + forwarded[links] == len(read[links])


def _link_events(worker: LoneWorker) -> int:
    """Return how many link events were applied."""
    samples = [sample for family in worker.registry.collect() for sample in family.samples]
    return int(sum(sample.value for sample in samples if sample.name == "flatline_link_events_total"))


OTHER_KEY = OTHER_ARTICLE.encode()
state_keys = st.sampled_from(
    [
        b"\0crawler",
        b"\0\xff",
        OTHER_KEY,
        OTHER_KEY + b"\0abcdefgh",
        OTHER_KEY + b"\x002026",
        b"positions\0",
        b"https://",
    ]
) | st.binary(max_size=9)
state_values = st.one_of(
    st.none(),
    st.just(b""),
    st.text(alphabet=st.characters(min_codepoint=32), max_size=30).map(str.encode),
    st.binary(max_size=99).map(FORMAT_BYTE.__add__),
    st.recursive(
        st.integers(-(2**63), 2**64 - 1) | st.binary(max_size=40) | st.text(max_size=5) | st.none() | st.floats(),
        lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    ).map(lambda value: FORMAT_BYTE + msgspec.msgpack.encode(value)),
)


@examples(60)
@given(st.lists(st.tuples(state_keys, state_values), min_size=1, max_size=9))
def test_any_state(foreign: list[tuple[bytes, bytes | None]]) -> None:
    """Whatever somebody else wrote into the changelog is left out, or is an article like others; ours stay right."""
    topics = TOPICS.links, TOPICS.visits
    whole = [Outgoing(topic.name, 0, None, json.dumps(WHOLE[topic][0]).encode()) for topic in topics]
    with LoneWorker(TOPICS, now_ms=NOW_MS) as worker:
        for topic, good in _good(0).items():
            worker.take(topic, [good])
        worker.commit()
        worker.changelog.records[0] += foreign
        worker.start()
        for _ in range(2):
            for topic, record in zip(topics, whole, strict=True):
                worker.take(topic, [record])
            worker.commit()
            _live_on(worker)
        _check_good(worker, links=1)
        other = worker.partition.peek(OTHER_KEY)
        assert other is not None
        assert other.totals.gained >= 1
        assert other.visits.sent().senders
