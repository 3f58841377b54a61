"""The receiver's duties by the W3C Recommendation, with sources on servers that may mean no good."""

from pathlib import Path
from urllib.parse import urlencode

import pytest

from flatline.schema.link_event import LinkEvent
from flatline_connectors.webmention.mentions import PENDING_MAX_OF_HOST, Mentions
from flatline_connectors.webmention.receiver import RETRIES_MS
from tests.connectors.fetching.hostile import endless
from tests.connectors.webmention.receiving import HTML, TARGET, receiving
from tests.samples import SAMPLES, with_samples

SOURCE = "https://notes.example/2026/slow"
LINK = f'<a href="{TARGET}">guide</a>'.encode()
ENTRY = (
    f'<html lang="en"><article class="h-entry"><h1 class="p-name">Note</h1><a class="u-in-reply-to" rel="ugc" '
    f'href="{TARGET}">guide</a><a class="p-author h-card" href="/">Rui Sato</a>'
    '<time class="dt-published" datetime="{}">then</time></article>'
)


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"source": SOURCE}, "invalid_target"),
        ({"target": TARGET}, "invalid_source"),
        ({}, "invalid_source"),
        ({"source": "", "target": TARGET}, "invalid_source"),
        ({"source": ["https://a.example/", "https://b.example/"], "target": TARGET}, "invalid_source"),
        ({"source": "ftp://notes.example/a", "target": TARGET}, "invalid_source"),
        ({"source": "javascript:alert(1)", "target": TARGET}, "invalid_source"),
        ({"source": "notes.example/a", "target": TARGET}, "invalid_source"),
        ({"source": "https://user:secret@notes.example/", "target": TARGET}, "invalid_source"),
        ({"source": SOURCE, "target": "mailto:a@pub.example"}, "invalid_target"),
        ({"source": TARGET, "target": TARGET}, "same_address"),
        ({"source": f"{TARGET}#a", "target": "HTTPS://pub.example:443/guides/slow-tomatoes"}, "same_address"),
        ({"source": SOURCE, "target": "https://not-ours.example/x"}, "unknown_target"),
        ({"source": SOURCE, "target": "https://pub.example.evil.example/x"}, "unknown_target"),
        ({"source": SOURCE, "target": "https://xpub.example/x"}, "unknown_target"),
        ({"source": "http://127.0.0.1/a", "target": TARGET}, "forbidden_source"),
        ({"source": "http://[::1]/a", "target": TARGET}, "forbidden_source"),
        ({"source": "http://2130706433/a", "target": TARGET}, "forbidden_source"),
    ],
)
async def test_requests_that_are_refused(tmp_path: Path, form: dict[str, object], code: str) -> None:
    """400 at once, with the reason; nothing is fetched and nothing is kept."""
    async with receiving(tmp_path) as at:
        status, body, _ = await at.post(urlencode(form, doseq=True))
        assert (status, body["error"]["code"]) == (400, code)
        assert "secret" not in body["error"]["message"]
        assert at.mentions.pending() == 0


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{}", "application/json", 415),
        (b"source=" + b"a" * 20_000, "application/x-www-form-urlencoded", 413),
        (b"source=\xff&target=%ff", "application/x-www-form-urlencoded", 400),
        (b"&".join([b"a=1"] * 1_000), "application/x-www-form-urlencoded", 400),
    ],
)
async def test_bodies_that_are_refused(tmp_path: Path, body: bytes, content_type: str, status: int) -> None:
    """Neither another type nor a large body nor one that is no form is looked into."""
    async with receiving(tmp_path) as at:
        assert (await at.post(body, content_type))[0] == status


@with_samples
async def test_sample_requests(tmp_path: Path) -> None:
    """What is to be taken has 201, because its status has a page, and all others 400."""
    lines = (SAMPLES / "webmention_posts.txt").read_text().splitlines()[1:]
    async with receiving(tmp_path) as at:
        for line in lines:
            form, _, expected = line.partition("\t")
            assert (await at.post(form))[0] == (201 if expected.startswith("202") else 400), line


async def test_a_mention(tmp_path: Path) -> None:
    """It is taken, verified later, and becomes an event with author, date and kind; its status has a page."""
    async with receiving(tmp_path) as at:
        at.server.says("/post", HTML, body=ENTRY.format("2026-11-23T09:30:00").encode())
        location = await at.mention()
        assert (await at.status(location), at.server.asked, at.kafka.events) == ("pending", [], [])
        await at.verify()
        assert await at.status(location) == "verified"
        (event,) = at.kafka.events
        assert (event.url_from, event.url_to, event.change) == (at.server.url("/post"), TARGET, "gained")
        assert (event.discovery, event.anchor, event.rel, event.source) == (
            "link_found",
            "guide",
            ["ugc"],
            "webmention",
        )
        assert event.page is not None
        assert (event.page.title, event.page.author, event.page.type) == ("Note", "Rui Sato", "in-reply-to")
        assert event.page.language == "en"
        assert str(event.occurred_at) == "2026-11-23 09:30:00+00:00"
        async with at.client.get("/webmention/unknown") as answer:
            assert answer.status == 404


@pytest.mark.parametrize("published", ["2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z", "never"])
async def test_dates_that_do_not_date_the_link(tmp_path: Path, published: str) -> None:
    """A page that is old, or of the future, does not say when its link came."""
    async with receiving(tmp_path) as at:
        at.server.says("/post", HTML, body=ENTRY.format(published).encode())
        assert await at.see() == "verified"
        assert at.kafka.events[0].occurred_at is None


@pytest.mark.parametrize(
    ("canonical", "is_taken"), [("/canonical", True), ("https://elsewhere.example/canonical", False)]
)
async def test_canonical_addresses_and_redirects(tmp_path: Path, canonical: str, is_taken: bool) -> None:
    """The link is on the page where redirects end, or on its canonical address on the same host."""
    async with receiving(tmp_path) as at:
        at.server.says("/short", f"Location: {at.server.url('/post')}", status=302)
        at.server.says("/post", HTML, body=f'<link rel="canonical" href="{canonical}">'.encode() + LINK)
        assert await at.see("/short") == "verified"
        assert at.kafka.events[0].url_from == at.server.url("/canonical" if is_taken else "/post")


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ((HTML,), b"<p>no link", "rejected"),
        ((HTML,), b"<!--" + LINK + b"-->", "rejected"),
        ((HTML,), b'<meta http-equiv="Status" content="410">' + LINK, "rejected"),
        (("Content-Type: application/json",), f'{{"to":"{TARGET}"}}'.encode(), "verified"),
        (("Content-Type: application/json",), b"{", "failed"),
        (("Content-Type: text/plain",), f"see {TARGET}.".encode(), "verified"),
        (("Content-Type: application/pdf",), LINK, "failed"),
        ((HTML, "Content-Encoding: br"), LINK, "failed"),
        ((HTML, "Content-Length: 9999999"), LINK, "failed"),
    ],
)
async def test_what_sources_may_be(tmp_path: Path, headers: tuple[str, ...], body: bytes, status: str) -> None:
    """HTML, JSON and text are read; a source without the link is no mention."""
    async with receiving(tmp_path) as at:
        at.server.says("/post", *headers, body=body)
        assert await at.see() == status
        assert len(at.kafka.events) == (status == "verified")


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410, 451])
async def test_statuses_that_are_final(tmp_path: Path, code: int) -> None:
    """A source that was never seen and answers so is no mention."""
    async with receiving(tmp_path) as at:
        at.server.says("/post", status=code)
        assert await at.see() == ("rejected" if code == 410 else "failed")
        assert at.kafka.events == []


async def test_hostile_sources(tmp_path: Path) -> None:
    """Endless bodies, circles of redirects and redirects to private addresses end as failures."""
    async with receiving(tmp_path) as at:
        at.server.scripts["/endless"] = endless(f"HTTP/1.1 200 OK\n{HTML}\n\n", b"<p>" * 20_000)
        at.server.says("/circle", f"Location: {at.server.url('/circle')}", status=302)
        at.server.says("/private", "Location: http://127.0.0.1:1/", status=302)
        for path in ("/endless", "/circle", "/private"):
            assert await at.see(path) == "failed", path


@pytest.mark.parametrize(
    ("code", "body", "reason"),
    [
        (410, b"", "page_gone"),
        (200, b"<p>edited", "removed"),
        (200, b'<meta http-equiv="Status" content="410 GONE">', "page_gone"),
    ],
)
async def test_deletions(tmp_path: Path, code: int, body: bytes, reason: str) -> None:
    """A known link whose page or mention is gone is lost, once; it may come back."""
    async with receiving(tmp_path) as at:
        at.server.says("/post", HTML, body=LINK)
        assert await at.see() == "verified"
        at.server.says("/post", HTML, body=body, status=code)
        assert await at.see() == "deleted"
        assert [(event.change, event.lost_reason) for event in at.kafka.events] == [("gained", None), ("lost", reason)]
        assert at.kafka.events[1].url_from == at.kafka.events[0].url_from
        assert await at.see() == "rejected"
        at.server.says("/post", HTML, body=LINK)
        assert await at.see() == "verified"
        assert [event.change for event in at.kafka.events] == ["gained", "lost", "gained"]


@pytest.mark.parametrize("code", [403, 404, 429, 500, 503])
async def test_a_known_link_outlives_what_says_nothing_of_it(tmp_path: Path, code: int) -> None:
    """A server that is down, or lets nobody in, has not removed the link."""
    async with receiving(tmp_path) as at:
        at.server.says("/post", HTML, body=LINK)
        await at.see()
        at.server.says("/post", status=code)
        await at.see()
        at.server.says("/post", HTML, body=b"edited")
        at.clock[0] += RETRIES_MS[0]
        await at.see()
        assert [event.change for event in at.kafka.events] == ["gained", "lost"]


async def test_updates(tmp_path: Path) -> None:
    """A mention that comes again is verified again, at the earliest after a minute, and is the same link."""
    async with receiving(tmp_path) as at:
        at.server.says("/post", HTML, body=LINK)
        first = await at.mention()
        assert await at.mention() == first  # it waits already
        await at.verify()
        at.server.says("/post", HTML, body=f'<a rel="nofollow" href="{TARGET}">other</a>'.encode())
        assert await at.mention() == first
        await at.verify()
        assert len(at.kafka.events) == 1
        at.clock[0] += 60_000
        await at.verify()
        assert [(event.change, event.anchor, event.rel) for event in at.kafka.events] == [
            ("gained", "guide", []),
            ("gained", "other", ["nofollow"]),
        ]


async def test_faults_that_pass(tmp_path: Path) -> None:
    """A source that can't be read now is asked again later, and after some times no more."""
    async with receiving(tmp_path) as at:
        at.server.says("/post", status=503)
        location = await at.mention()
        for wait_ms in RETRIES_MS:
            await at.verify()
            assert await at.status(location) == "pending"
            at.clock[0] += wait_ms
        await at.verify()
        assert await at.status(location) == "failed"
        assert at.server.paths == ["/post"] * (len(RETRIES_MS) + 1)


async def test_retry_after(tmp_path: Path) -> None:
    """A server that asks for time gets it."""
    async with receiving(tmp_path) as at:
        at.server.says("/post", "Retry-After: 7200", status=429)
        await at.see()
        at.server.says("/post", HTML, body=LINK)
        at.clock[0] += 7_199_000
        await at.verify()
        assert at.kafka.events == []
        at.clock[0] += 1_000
        await at.verify()
        assert len(at.kafka.events) == 1


async def test_nothing_is_settled_without_kafka(tmp_path: Path) -> None:
    """What Kafka does not take is verified again."""
    async with receiving(tmp_path) as at:
        at.server.says("/post", HTML, body=LINK)
        at.kafka.is_down = True
        assert await at.see() == "pending"
        at.kafka.is_down = False
        at.clock[0] += 10_000
        await at.verify()
        assert [event.change for event in at.kafka.events] == ["gained"]


async def test_limits(tmp_path: Path) -> None:
    """A host gets 429 when many of its mentions wait; a mention that waits already is no further one."""
    async with receiving(tmp_path) as at:
        for number in range(PENDING_MAX_OF_HOST):
            await at.mention(f"/{number}")
        form = urlencode({"source": at.server.url("/more"), "target": TARGET})
        status, body, headers = await at.post(form)
        assert (status, body["error"]["code"], headers["Retry-After"]) == (429, "too_many_mentions", "300")
        await at.mention("/0")
        assert (await at.post(urlencode({"source": SOURCE, "target": TARGET})))[0] == 201


async def test_the_queue_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 when too many wait, whosever they are."""
    monkeypatch.setattr("flatline_connectors.webmention.mentions.PENDING_MAX", 1)
    async with receiving(tmp_path) as at:
        await at.mention()
        assert (await at.post(urlencode({"source": SOURCE, "target": TARGET})))[0] == 503


async def test_what_waits_survives_a_crash(tmp_path: Path) -> None:
    """The file has what was answered with 201, and which links are known."""
    async with receiving(tmp_path) as at:
        at.server.says("/known", HTML, body=LINK)
        await at.see("/known")
        location = await at.mention()
        again = Mentions(tmp_path / "webmentions.sqlite")  # as a process finds it whose predecessor was killed
        waiting = again.due(now_ms=at.clock[0])
        assert waiting is not None
        assert location.endswith(waiting.id)
        known = again.receive(at.server.url("/known"), TARGET, host="page.example", now_ms=at.clock[0])
        assert known.known_from == at.server.url("/known")
        again.close()


async def test_a_mention_that_comes_again_while_it_is_verified(tmp_path: Path) -> None:
    """What was fetched may be older than what the sender means: it is verified again."""
    async with receiving(tmp_path) as at:
        await at.mention()
        mention = at.mentions.due(now_ms=at.clock[0])
        assert mention is not None
        await at.mention()
        at.mentions.settle(mention, status="verified", detail="", known_from="x", now_ms=at.clock[0])
        assert at.mentions.pending() == 1


@with_samples
async def test_sample_sources(tmp_path: Path) -> None:
    """A page with microformats, one with nothing but near misses, and one that is deleted."""
    async with receiving(tmp_path) as at:
        for path, name in {"/ok": "ok", "/false": "false", "/gone": "ok"}.items():
            at.server.says(path, HTML, body=(SAMPLES / f"webmention_source_{name}.html").read_bytes())
        assert [await at.see(path) for path in ("/ok", "/false", "/gone")] == ["verified", "rejected", "verified"]
        at.server.says("/gone", HTML, body=(SAMPLES / "webmention_source_deleted.html").read_bytes())
        assert await at.see("/gone") == "deleted"
        gained, _, lost = at.kafka.events
        assert shown(gained) == ("gained", "Rui Sato", "in-reply-to", "2026-11-23 09:30:00+00:00")
        assert (gained.anchor, gained.rel) == ("guide", ["nofollow", "noopener", "ugc"])
        assert (lost.change, lost.lost_reason) == ("lost", "page_gone")


def shown(event: LinkEvent) -> tuple[str, str | None, str | None, str]:
    """Return what the microformats said."""
    assert event.page is not None
    return event.change, event.page.author, event.page.type, str(event.occurred_at)
