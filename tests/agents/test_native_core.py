"""The native core against Python, which is the specification: of any records, the same is written."""

import io
import json
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from flatline.agents.link_questions import LinkQuestions, parameters
from flatline.agents.read_links import ReadLinks
from flatline.core import Core, native_core, why_not_native
from flatline.domain.policy.ignore import Ignore, Ignored
from flatline.domain.state.article import LinkObservation
from flatline.domain.time import DAY_MS, EARLIEST_MS, LATEST_MS
from flatline.schema.partitioning import partition_of
from tests.agents.both_cores import NOW_MS, left_to_python, numbered, written
from tests.bench.workload import Workload, values
from tests.examples import examples

pytestmark = pytest.mark.skipif(bool(why_not_native()), reason=why_not_native())

REAL: Final = Path(__file__).parents[3] / "shared" / "data" / "open.ndjson.zst"
_HERE: Final = next(url for n in range(9) if not partition_of((url := f"https://b.example/{n}").encode(), 2))
IGNORED: Final = Ignored.by(
    Ignore(
        referring_domains=["d.org"],
        sources=["b"],
        targets=["https://www.b.example/p"],
        own_domains=["a.example", "b.example"],
        rel=["sponsored"],
    )
)

_HOSTS: Final = """
    a.example www.b.example blog.c.co.uk x.github.io 127.0.0.1 news.ycombinator.com a-b.de xn--bcher-kva.example
    forum.d.org A.example localhost a..b www.gov.uk www.google.com 1.2 a.example. www.www.b.example github.com
"""
_PATHS: Final = """
    / /p/1 /p/2 /blog/x /index.html /INDEX.php /a/index.b/c /x/ /x// // /p?utm_source=x /p?page=2 /interview-with-y
    /interviews/z /coding-interview/1 /%7Ea /a%20b /list/q /.hidden /guest-post/x /news/2024/a /default.asp /a..b /ü
    /amp /amp/x /x.amp /x.amp.html /tag/x /x/feed /a&page=3 /(S(x))/y /a(b) /a;b /forums /news/
"""
_INSTANTS: Final = """
    2024-02-29T00:00:00Z 2023-02-29T00:00:00Z 2024-01-01T00:00:00.123456789Z 2024-01-01t00:00:00z 2024-01-01T00:00:00
    2024-01-01T24:00:00Z 2016-12-31T23:59:60Z 2024-01-01T00:00:00.9999+05:30 1991-08-06T00:00:00Z 2024-01-01T00:00:00.Z
    2024-01-01T00:00:00-23:59 1991-08-05T23:59:59.9Z 0001-01-01T00:00:00Z 9999-12-31T23:59:59Z 1900-02-29T00:00:00Z
    2024-01-01T00:00:00+0530 2000-02-29T12:00:00Z 2025-13-01T00:00:00Z 2025-04-31T00:00:00Z 2024-01-01T00:60:00Z
"""
hosts = st.sampled_from(_HOSTS.split())
paths = st.sampled_from(["", *_PATHS.split()])
urls = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["https://", "https://", "http://", "HTTPS://", ""]),
    hosts,
    st.sampled_from(["", "", "", ":443", ":8080"]),
    paths,
)
instants = st.one_of(
    st.datetimes(datetime(1969, 12, 30), datetime(2027, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
        lambda at: at.isoformat().replace("+00:00", "Z")
    ),
    st.sampled_from(["", *_INSTANTS.split()]),
)
texts = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            "here",
            "why we left",
            "cheap seo services online",
            "a sponsored post by us, as everybody can see in the text",
            "ADVERTISEMENT of ours and what they pay, told at length",
            "2016-12-31T23:59:60Z",
            'she said "no" to it, and told us at some length why not',
            "\u2028",
            "ﬁ",
            "",
            *(letter * length for letter in "xé链" for length in (15, 16, 39, 40)),
        ]
    ),
)
events = st.fixed_dictionaries(
    {"url_from": urls, "url_to": urls},
    optional={
        "version": st.sampled_from([1, 1, 1, 2, 1.0, "1", True, None]),
        "id": st.one_of(st.none(), st.text(max_size=5), st.sampled_from(["é" * 200, "x" * 201])),
        "change": st.sampled_from(["gained", "gained", "lost", "suspected", "Lost", None]),
        "occurred_at": st.one_of(st.none(), instants),
        "observed_at": st.one_of(st.none(), instants),
        "discovery": st.sampled_from(["link_found", "page_found", "import", "other"]),
        "anchor": st.one_of(st.none(), texts, st.just(5)),
        "context": st.one_of(st.none(), texts),
        "rel": st.lists(
            st.sampled_from(["nofollow", "NoFollow", "ugc", "sponsored", "x", "", "ﬁ", "\u212aa"]), max_size=3
        ),
        "placement": st.sampled_from([None, "content", "nav", "footer", "sidebar", "comment", "top"]),
        "page": st.one_of(
            st.none(),
            st.fixed_dictionaries(
                {},
                optional={
                    "title": st.one_of(
                        st.none(), texts, st.sampled_from(["Interview with X", "[ad] y", "Guest post: z"])
                    ),
                    "author": texts,
                    "type": st.sampled_from(["NewsArticle", "https://schema.org/QAPage", "", "blog", None]),
                    "published_at": instants,
                    "language": st.sampled_from(["en", "x" * 65]),
                    "more": st.lists(st.none(), max_size=1),
                },
            ),
        ),
        "authority": st.one_of(st.none(), st.floats(-1, 101), st.sampled_from([0, 100, 0.5, 1.5, -0.0, 1e1])),
        "lost_reason": st.sampled_from([None, "removed", "404", "HTTP 503", "a word", "", "timeout"]),
        "flags": st.lists(st.sampled_from(["spam", "floor", "redirect", "image", "x" * 65]), max_size=3),
        "source": st.sampled_from([None, "a", "b", "crawler-a", "-x", "a b", "ä", "a\n", ""]),
        "more": st.one_of(
            st.none(),
            st.booleans(),
            st.integers(-(2**60), 2**60),
            st.floats(allow_nan=False),
            st.lists(st.none(), max_size=1),
        ),
    },
)
usual_events = st.fixed_dictionaries(
    {
        "url_from": st.builds("https://s{}.example/blog/{}".format, st.integers(0, 3), st.integers(0, 5)),
        "url_to": st.builds("https://b.example/{}".format, st.integers(0, 3)),
        "occurred_at": st.builds("2024-01-0{}T0{}:00:00Z".format, st.integers(1, 9), st.integers(0, 2)),
        "source": st.sampled_from(["a", "crawler-a"]),
    },
    optional={
        "change": st.sampled_from(["gained", "lost"]),
        "observed_at": st.sampled_from(["2024-01-05T00:00:00Z", "2031-01-05T00:00:00Z"]),
        "anchor": st.sampled_from(["here", "why we left"]),
        "rel": st.sampled_from([[], ["nofollow"]]),
        "placement": st.sampled_from(["content", "footer"]),
        "discovery": st.sampled_from(["link_found", "import"]),
        "lost_reason": st.sampled_from(["removed", "page_gone"]),
    },
)

_WAYS: Final[Sequence[Callable[[Any], bytes]]] = (
    orjson.dumps,
    orjson.dumps,
    lambda event: json.dumps(event).encode(),  # with escapes and spaces
    lambda event: orjson.dumps(event, option=orjson.OPT_INDENT_2),
    lambda event: orjson.dumps(event) * 2,
    lambda event: orjson.dumps(event)[:-1] + b"," + orjson.dumps(event)[1:],  # each member twice
)
encoded = st.builds(lambda event, encode: encode(event), st.one_of(events, usual_events), st.sampled_from(_WAYS))


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    """Return a record with a few bytes replaced."""
    value = bytearray(draw(encoded))
    for _ in range(draw(st.integers(1, 2))):
        at = draw(st.integers(0, len(value) - 1))
        value[at : at + draw(st.integers(0, 2))] = draw(
            st.sampled_from(
                [b"", b'"', b"\\", b"\0", b"\xff", "é".encode(), b"{", b"[", b"]", b",", b"0", b"e", b"\n", b" "]
            )
        )
    return bytes(value)


records = st.tuples(
    st.one_of(encoded, encoded, mangled(), st.binary(max_size=20), st.none()),
    st.sampled_from([NOW_MS, NOW_MS, NOW_MS, NOW_MS + DAY_MS, NOW_MS - 3 * DAY_MS, -1, 0, LATEST_MS, NOW_MS * 1000]),
)


@examples(400)
@given(st.lists(records, max_size=12), st.integers(0, 12), st.sampled_from([None, IGNORED]))
def test_the_same_is_written(given_records: list[tuple[bytes | None, int]], cut: int, ignored: Ignored | None) -> None:
    """To the byte and in the same order: state, dead letters, what is sent on, and what is counted."""
    read = numbered(given_records)
    batches = [read[:cut], read[cut:], read]  # the last as after a takeover
    assert written(native_core(Core.NATIVE), batches, ignored) == written(None, batches, ignored)


@examples(100)
@given(st.lists(usual_events, min_size=1, max_size=30))
def test_the_same_is_written_of_usual_events(given_events: list[dict[str, object]]) -> None:
    """Links that are gained, lost and gained again, within a batch and over several."""
    read = numbered([(orjson.dumps(event), NOW_MS) for event in given_events])
    batches = [read, list(reversed(read))]
    assert written(native_core(Core.NATIVE), batches, None) == written(None, batches, None)


@pytest.mark.parametrize("recorded_ms", [NOW_MS, LATEST_MS, LATEST_MS + DAY_MS, NOW_MS * 1_000, EARLIEST_MS, 2**63 - 1])
@pytest.mark.parametrize(
    "members",
    [
        {},
        {"occurred_at": "2024-01-04T00:00:00Z", "observed_at": "2024-01-05T00:00:00Z"},
        {"occurred_at": "2024-01-04T00:00:00Z", "observed_at": "2024-01-05T00:00:00.001Z"},
        {"occurred_at": "2024-01-04T05:00:00+05:00"},
        {"occurred_at": "2024-01-04T00:00:00-00:30"},
        {"occurred_at": "9998-12-31T23:59:59Z"},
        {"occurred_at": "2026-05-28T20:26:40Z"},
        {"anchor": "x\x7f", "context": "é" * 20, "page": {"title": "Guest post", "type": "NewsArticle"}},
        {"url_from": "https://s1.example/x.amp.html"},
        {"url_from": "https://s1.example/Default.htm", "change": "lost", "placement": "footer"},
        {"url_from": "https://s1.example/news/1", "page": {"title": "Guest post"}, "change": "lost"},
        {"url_from": "https://github.com/a", "url_to": "https://github.com/b"},
        {"url_from": "https://github.com/b", "url_to": "https://github.com/b"},
    ],
)
def test_the_same_is_written_at_an_edge(members: dict[str, object], recorded_ms: int) -> None:
    """Each record comes twice, as the first one of a day is always read by Python."""
    event = {"url_from": "https://s1.example/1", "url_to": _HERE, "source": "a", "anchor": "why we left", **members}
    batches = [
        numbered([(orjson.dumps(event | more), recorded_ms) for more in ({"url_from": "https://s.example/2"}, {})])
    ]
    assert written(native_core(Core.NATIVE), batches, None) == written(None, batches, None)


@pytest.mark.skipif(not REAL.is_file(), reason=f"{REAL.name} is not beside the checkout")
def test_the_same_is_written_of_a_real_history() -> None:
    """Of public link histories, with all that people write into pages; and most of it is read natively."""
    with zstandard.open(REAL, "rb") as lines:
        chosen = random.Random(1).sample(
            [line for _, line in zip(range(30_000), io.BufferedReader(lines), strict=False)], 6_000
        )
    read = numbered([(line, NOW_MS) for line in chosen])
    batches = [read[:4_000], read[2_000:]]
    assert written(native_core(Core.NATIVE), batches, None) == written(None, batches, None)
    assert _left(chosen, partitions=1) < 0.15 * len(chosen)


def _left(chosen: Sequence[bytes], *, partitions: int) -> int:
    core = native_core(Core.NATIVE)
    assert core is not None
    return len(left_to_python(core, chosen, partitions=partitions))


def test_usual_records_are_read_natively() -> None:
    """None of the benchmark's is left to Python, and few of those that a vendor may send are."""
    assert _left(list(values(Workload(events=2_000, partitions=1))), partitions=1) == 0
    usual = {"url_from": "http://www.a.example/1/", "url_to": "https://b.example/?id=1"}
    for member in (
        {},
        {"context": 'he said "yes"'},
        {"url_from": "https://github.com/a", "url_to": "https://github.com/b"},
        {"anchor": "„Größe“\n"},
        {"page": {"title": "Guest post", "type": "blog"}},
        {"version": None, "rel": None, "flags": ["floor"], "authority": 12.5},
        {"change": "lost", "lost_reason": "404", "discovery": "import"},
        {"occurred_at": "2020-01-01T00:00:00.5+02:00", "observed_at": None, "unknown": "x"},
    ):
        assert _left([json.dumps(usual | member).encode()], partitions=1) == 0, member


def test_what_is_odd_is_left_to_python() -> None:
    """What only the whole record tells: an own link, a suspicion, a page that lists others, what can't be read."""
    usual: dict[str, object] = {"url_from": "https://a.example/1", "url_to": "https://b.example/"}
    for odd in (
        {"url_from": "https://b.example/2"},
        {"url_from": "https://github.com/b", "url_to": "https://github.com/b"},
        {"change": "suspected"},
        {"url_from": "https://a.example/tag/x"},
        {"url_from": "no URL"},
        {"occurred_at": "1990-01-01T00:00:00Z"},
        {"version": 2},
    ):
        assert _left([orjson.dumps(usual | odd)], partitions=1) == 1, odd


def test_a_rule_that_fails_ends_the_batch() -> None:
    """It is no bad record: nothing is skipped, and the worker hears of it."""

    class Failing(LinkQuestions):
        def host(self, host: str) -> tuple[bytes, bytes] | None:
            raise RuntimeError(host)

    core = native_core(Core.NATIVE)
    assert core is not None
    reader = core.LinkReader(Failing(partitions=1, ignored=None), LinkObservation, parameters())
    said = ReadLinks()
    said.day_ends_ms = NOW_MS + 1
    value = b'{"url_from": "https://a.example/1", "url_to": "https://b.example/"}'
    with pytest.raises(RuntimeError, match=r"a\.example"):
        reader.read(numbered([(value, NOW_MS)]), 0, 0, said)
    assert not said.observations
