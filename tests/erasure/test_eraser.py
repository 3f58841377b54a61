"""Whoever is erased is in no record afterwards, by no spelling; every other record stays byte for byte."""

import html
import json
import re
from typing import Any
from urllib.parse import quote, unquote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.events.observation import ArticleKeys, LinkObservation, observation_of
from flatline.domain.state.article import FORMAT
from flatline.engine.log import Outgoing
from flatline.erasure.eraser import Eraser
from flatline.erasure.subject import Author, Domain, Page, Subject, SubjectError, subject_of
from flatline.schema import codec
from flatline.schema.topics import Topics

TOPICS = Topics()
RECORDED_MS = 1_767_225_600_000
DOMAIN, PAGE, NAME = "jane.example", "https://shared.example/posts/jane", "Jane Doe"
SUBJECTS = {DOMAIN: Domain(DOMAIN), PAGE: Page(PAGE), NAME: Author(NAME)}
# What is nearly the same, and somebody else.
OTHERS = [
    "https://notjane.example/",
    "https://jane.example.org/",
    "https://my-jane.example/a",
    "https://shared.example/posts/jane2",
    "https://shared.example/posts/jane/comments",
    "https://shared.example/posts",
    "by Jane Doerr",
    "Mary-Jane Doe2",
    "jane",
    "doe",
]


def _eraser(subject: Subject) -> Eraser:
    return Eraser(subject, topics=TOPICS, key=b"k" * 32)


def _link(url_from: str, url_to: str = "https://ours.example/a", **fields: Any) -> Outgoing:
    value = json.dumps({"url_from": url_from, "url_to": url_to, **fields}, ensure_ascii=False).encode()
    return Outgoing(TOPICS.links.name, 0, url_to.encode(), value, RECORDED_MS)


def _bare(data: bytes | None) -> str:
    """Return bytes as whoever looks for a name reads them: without escapes, in lower case."""
    text = (data or b"").decode(errors="replace")
    text = re.sub(r"\\u([0-9a-f]{4})", lambda escaped: chr(int(escaped[1], 16)), text)
    return re.sub(r"\s+", " ", unquote(unquote(html.unescape(text)))).lower()


letters_in_any_case = st.sampled_from([str.lower, str.upper, str.title])
escaped = st.sampled_from(
    [
        lambda text: text,
        lambda text: quote(text, safe=""),
        lambda text: quote(quote(text, safe=""), safe=""),
        lambda text: html.escape(text).replace("e", "&#101;"),
        lambda text: f"see {text}.",
        lambda text: f"({text})",
        lambda text: f"<a href='{text}'>",
    ]
)
spelled_domain = st.builds(
    lambda case, end: case(DOMAIN) + end, letters_in_any_case, st.sampled_from(["", "/", "/a?b=c", ":8080/x", "."])
)
spelled_page = st.sampled_from(
    [
        PAGE,
        "http://www.shared.example/posts/jane",
        "HTTPS://SHARED.example:443/posts/jane#comments",
        "https://shared.example/posts/jane?utm_source=x",
        "https://shared.example/x/../posts/jane",
    ]
)
spelled_name = st.sampled_from(
    [NAME, "JANE DOE", "jane  doe", "Jane\u00a0Doe", "Jane\nDoe", "\uff2a\uff41\uff4e\uff45 Doe"]
)
spelled = {
    DOMAIN: st.builds(lambda before, rest: before + rest, st.sampled_from(["", "https://", "a.b."]), spelled_domain),
    PAGE: spelled_page,
    NAME: spelled_name,
}
whom = st.sampled_from(sorted(SUBJECTS))


@given(whom.flatmap(lambda who: st.tuples(st.just(who), spelled[who], escaped)), st.booleans())
def test_every_spelling_is_found(said: tuple[str, str, Any], is_ascii: bool) -> None:
    """In a text of JSON, in broken JSON, and in the state; by its own kind of subject only."""
    who, spelling, escape = said
    text = json.dumps({"context": f"so {escape(spelling)} says"}, ensure_ascii=is_ascii).encode()
    state = bytes([FORMAT]) + msgspec.msgpack.encode([1, escape(spelling), b"x"])
    for data in (text, text[:-1], state):
        assert _eraser(SUBJECTS[who]).mentions(data)
    for other in SUBJECTS.keys() - {who}:
        assert not _eraser(SUBJECTS[other]).mentions(text)


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("who", sorted(SUBJECTS))
def test_others_are_not_mistaken(who: str, other: str) -> None:
    """Neighbours stay."""
    record = _link("https://elsewhere.example/", context=other)
    assert _eraser(SUBJECTS[who]).rewritten(record) is record


mentions = st.deferred(lambda: st.one_of(*(spelled[who] for who in sorted(SUBJECTS))))
texts = st.one_of(st.text(max_size=20), st.sampled_from(OTHERS), mentions)
pages = st.one_of(
    st.sampled_from([f"https://{DOMAIN}/{n}" for n in range(3)] + [f"http://www.{DOMAIN.upper()}/1", PAGE]),
    st.sampled_from([f"https://blog.{DOMAIN}/tag/x/page/{n}" for n in range(3)]),
    st.sampled_from(["https://shared.example/posts/joe", "https://elsewhere.example/"]),
)
links = st.builds(
    _link,
    pages,
    st.sampled_from(["https://ours.example/a", "https://ours.example/b", f"https://{DOMAIN}/own"]),
    change=st.sampled_from(["gained", "lost"]),
    context=texts,
    page=st.fixed_dictionaries({"author": texts.filter(bool), "title": texts, "unknown": texts}),
    unknown=st.recursive(texts, lambda each: st.lists(each, max_size=2) | st.dictionaries(texts, each, max_size=2)),
)


@given(whom, st.lists(links, max_size=12))
def test_a_stream_of_links(who: str, stream: list[Outgoing]) -> None:
    """Nothing mentions the subject any more, all others stay, and to the articles it is the same history.

    The same page is the same afterwards, two pages are two, and pages of one domain are of one.
    """
    one = _eraser(SUBJECTS[who])
    became = [one.rewritten(record) for record in stream]
    pages: set[tuple[object, object]] = set()
    domains: set[tuple[object, object]] = set()
    for record, new in zip(stream, became, strict=True):
        event = codec.links.decode(record.value)
        if not one.mentions(record.value):
            assert new is record
        if new is None:
            assert who == DOMAIN and DOMAIN in event.url_to  # noqa: PT018
            continue
        if who != PAGE:
            assert not re.search(rf"(?<!\w)(?<!\w-){who.lower()}(?![\w-]|\.\w)", _bare(new.value))
        assert not one.mentions(new.value)
        before, after = _observed(record), _observed(new)
        assert isinstance(before, LinkObservation) == isinstance(after, LinkObservation)
        if isinstance(before, LinkObservation) and isinstance(after, LinkObservation):
            assert _comparable(before) == _comparable(after)
            pages.add((before.page, after.page))
            domains.add((before.domain, after.domain))
    for pairs in (pages, domains):
        assert len(pairs) == len({old for old, _ in pairs}) == len({new for _, new in pairs})


def _observed(record: Outgoing) -> object:
    return observation_of(codec.links.decode(record.value), recorded_ms=RECORDED_MS, keys=ArticleKeys())


def _comparable(seen: LinkObservation) -> tuple[object, ...]:
    return seen.article, seen.is_gain, seen.at_ms, seen.source, seen.lost_reason, seen.is_floor


def test_a_pseudonym_leads_back_to_nobody() -> None:
    """Another key makes another one."""
    record = _link(f"https://{DOMAIN}/1")
    with_other_key = Eraser(SUBJECTS[DOMAIN], topics=TOPICS, key=b"l" * 32)
    first, second = _eraser(SUBJECTS[DOMAIN]).rewritten(record), with_other_key.rewritten(record)
    assert first is not None
    assert first != second
    assert codec.links.decode(first.value).url_from.endswith(".invalid/" + first.value.decode().split("/")[3][:32])


def test_other_records() -> None:
    """What becomes of each kind of record that names somebody."""
    article = (
        b'{"url": "https://ours.example/a", "author": "Jane Doe", "tier": 1, "aliases": ["https://jane.example/x"]}'
    )
    visits = b'{"url": "https://ours.example/a", "day": "2026-01-02", "visits": 3, "domain": "jane.example"}'
    mark = (
        b'{"subject": "https://ours.example/a", "kind": "silent", "since": "2026-01-01T00:00:00Z", "mark": "right",'
        b' "marked_at": "2026-01-01T00:00:00Z", "by": "Jane Doe"}'
    )
    domain, name = _eraser(SUBJECTS[DOMAIN]), _eraser(SUBJECTS[NAME])

    def became(one: Eraser, topic: str, value: bytes | None, key: bytes = b"key") -> Any:
        new = one.rewritten(Outgoing(topic, 0, key, value, RECORDED_MS))
        return None if new is None or new.value is None else json.loads(new.value)

    assert "author" not in became(name, TOPICS.articles.name, article)
    assert became(domain, TOPICS.articles.name, article)["aliases"] == []
    sent_by = codec.links.decode(domain.rewritten(_link(f"https://{DOMAIN}/1")).value).url_from  # type: ignore[union-attr]
    assert became(domain, TOPICS.visits.name, visits)["domain"] == sent_by.split("/")[2]
    assert became(name, TOPICS.alert_marks.name, mark)["by"] == "erased"
    assert became(name, TOPICS.dead_letters.name, article) is None
    assert became(name, TOPICS.connectors.name, b'{"state": "Jane Doe"}') is None
    assert became(name, TOPICS.groups.name, b"{}", key=b"author/Jane Doe") is None
    note = b'{"day": "2026-01-02", "text": "Jane Doe wrote", "annotated_at": "2026-01-02T00:00:00Z", "site": "%b"}'
    assert became(name, TOPICS.annotations.name, note % b"ours.example")["text"] == "erased"
    # Without its site it would be about everything; a snooze without its article would silence all.
    assert became(domain, TOPICS.annotations.name, note % DOMAIN.encode()) is None
    snooze = (
        b'{"labels": {"alertname": "ArticleSilent", "article": "jane.example/x"}, "until": "2026-01-02T00:00:00Z",'
        b' "why": "x", "by": "y", "snoozed_at": "2026-01-01T00:00:00Z"}'
    )
    assert became(domain, TOPICS.snoozes.name, snooze) is None
    headers = Outgoing(TOPICS.links.name, 0, b"k", b"{}", 1, [("by", b"Jane Doe"), ("other", b"x")])
    assert name.rewritten(headers) == headers._replace(headers=[("other", b"x")])


@pytest.mark.parametrize(
    "given", [{}, {"author": "x"}, {"domain": "a/b"}, {"page": "no"}, {"author": "a", "page": "b"}]
)
def test_whom_must_be_clear(given: dict[str, str]) -> None:
    """One letter is no name, and two subjects are one too many."""
    with pytest.raises(SubjectError):
        subject_of(**given)
