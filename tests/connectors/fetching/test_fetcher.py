"""The guarded fetcher against real servers that mean no good."""

import asyncio
import gzip
import ssl
import zlib
from email.utils import formatdate

import pytest
import trustme

from flatline_connectors.fetching.exchange import ApiRequest
from flatline_connectors.fetching.fetcher import Limits
from flatline_connectors.fetching.outcomes import Outcome, Validators
from tests.connectors.fetching.hostile import PUBLIC, Asked, FakeTime, Names, Server, endless, fetcher, saying, serving

HTML = "Content-Type: text/html; charset=ISO-8859-1"
IMPATIENT = Limits(connect_s=0.5, total_s=0.5)
HEAD = f"HTTP/1.1 200 OK\n{HTML}\n\n"


async def outcome(server: Server, path: str, **how: object) -> Outcome:
    """Fetch one path, and return how that ended."""
    async with fetcher(**how) as fetching:  # type: ignore[arg-type]
        return (await fetching.fetch(server.url(path))).outcome


async def test_a_page() -> None:
    """Its bytes, its type and charset; the request names us and whom to write to, and asks for robots.txt before."""
    async with serving() as server, fetcher() as fetching:
        server.says("/a?b=1", HTML, 'ETag: "v1"', "Last-Modified: yesterday", body=b"<p>\xe9")
        page = await fetching.fetch(server.url("/a?b=1#c"))
    assert (page.outcome, page.status, page.body) == (Outcome.FETCHED, 200, b"<p>\xe9")
    assert (page.content_type, page.charset) == ("text/html", "ISO-8859-1")
    assert page.validators == Validators('"v1"', "yesterday")
    assert not page.is_moved
    assert [asked.path for asked in server.asked] == ["/robots.txt", "/a?b=1"]
    assert {asked.headers["user-agent"] for asked in server.asked} == {"Flatline/0 (+https://us.example/contact)"}
    assert {asked.headers["accept-encoding"] for asked in server.asked} == {"gzip, deflate"}


@pytest.mark.parametrize(
    "url",
    [
        "ftp://page.example/",
        "file:///etc/passwd",
        "gopher://page.example/",
        "javascript:alert(1)",
        "page.example",
        "http://",
        "http://user:secret@page.example/",
        "http://[::1",
        f"http://page.example/{'x' * 5_000}",
        "",
    ],
)
async def test_addresses_that_are_never_asked(url: str) -> None:
    """Neither http nor https, no URL at all, or one with a password; and no resolver hears of it."""
    names = Names()
    async with fetcher(names) as fetching:
        page = await fetching.fetch(url)
    assert page.outcome is Outcome.INVALID_URL
    assert "secret" not in page.detail
    assert not names.asked


@pytest.mark.parametrize("host", ["127.0.0.1", "0x7f.1", "2130706433", "017700000001", "[::1]", "[::ffff:127.0.0.1]"])
async def test_literal_addresses_of_this_machine(host: str) -> None:
    """No notation of a private address leads there, neither directly nor by a redirect."""
    async with serving("127.0.0.1") as private, serving(PUBLIC, private.port) as server, fetcher() as fetching:
        server.says("/away", f"Location: {private.url('/', host)}", status=302)
        direct = await fetching.fetch(private.url("/", host))
        redirected = await fetching.fetch(server.url("/away"))
    assert (direct.outcome, redirected.outcome) == (Outcome.FORBIDDEN_ADDRESS, Outcome.FORBIDDEN_ADDRESS)
    assert not private.asked


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["10.0.0.1"], ["::1"], ["::ffff:7f00:1"], [PUBLIC, "127.0.0.1"]])
async def test_names_of_private_addresses(addresses: list[str]) -> None:
    """A host with any private address is refused, whichever of its addresses would have answered."""
    async with serving() as server, fetcher(Names({"page.example": [addresses]})) as fetching:
        server.says("/", HTML, body=b"x")
        page = await fetching.fetch(server.url("/"))
    assert page.outcome is Outcome.FORBIDDEN_ADDRESS
    assert not server.asked


async def test_rebinding() -> None:
    """A host that is public for robots.txt, and private a moment later, is refused then."""
    names = Names({"page.example": [[PUBLIC], ["127.0.0.1"]]})
    async with serving("127.0.0.1") as private, serving(PUBLIC, private.port) as server, fetcher(names) as fetching:
        page = await fetching.fetch(server.url("/"))
    assert page.outcome is Outcome.FORBIDDEN_ADDRESS
    assert [asked.path for asked in server.asked] == ["/robots.txt"]
    assert not private.asked


async def test_a_resolver_that_lies_to_the_check() -> None:
    """The address that the socket gets is checked on its own: here the check of the resolver is passed over."""
    async with serving("127.0.0.1") as private, fetcher() as fetching:
        connector = fetching._exchange._session.connector
        assert connector
        connector._resolver = Names({"page.example": [["127.0.0.1"]]})  # type: ignore[attr-defined]
        page = await fetching.fetch(private.url("/"))
    assert page.outcome is Outcome.FORBIDDEN_ADDRESS
    assert not private.asked


async def test_redirects() -> None:
    """They are followed to another host, relative ones as well; only permanent ones say that the page has moved."""
    async with serving() as server, fetcher() as fetching:
        server.says("/old", "Location: /new", status=301)
        server.says("/new", f"Location: {server.url('/there', 'other.example')}", status=308)
        server.says("/now", "Location: /there", status=302)
        server.says("/there", HTML, body=b"x")
        moved = await fetching.fetch(server.url("/old"))
        elsewhere = await fetching.fetch(server.url("/now"))
    assert (moved.outcome, moved.url, moved.is_moved) == (Outcome.FETCHED, server.url("/there", "other.example"), True)
    assert (elsewhere.outcome, elsewhere.url, elsewhere.is_moved) == (Outcome.FETCHED, server.url("/there"), False)


async def test_redirects_without_end() -> None:
    """A circle ends when it closes, a chain after twenty."""
    async with serving() as server, fetcher() as fetching:
        server.says("/a", "Location: /b", status=302)
        server.says("/b", "Location: /a", status=302)
        for number in range(30):
            server.says(f"/{number}", f"Location: /{number + 1}", status=302)
        assert (await fetching.fetch(server.url("/a"))).outcome is Outcome.TOO_MANY_REDIRECTS
        assert server.paths == ["/a", "/b"]
        assert (await fetching.fetch(server.url("/0"))).outcome is Outcome.TOO_MANY_REDIRECTS
        assert server.paths[2:] == [f"/{number}" for number in range(21)]


@pytest.mark.parametrize(
    "location", ["ftp://page.example/", "file:///etc/passwd", "http://a:b@page.example/", "http://["]
)
async def test_redirects_to_what_is_never_asked(location: str) -> None:
    """The rules for addresses hold at each hop."""
    async with serving() as server:
        server.says("/", f"Location: {location}", status=302)
        assert await outcome(server, "/") is Outcome.INVALID_URL


@pytest.mark.parametrize(
    "script",
    [
        endless(HEAD, b"x", every_s=0.05),
        endless("", b"", every_s=0.05),
        endless("HTTP/1.1 200 OK\n", b"", every_s=0.05),
        endless("", b"HTTP/1.1 100 Continue\r\n\r\n", every_s=0.01),
    ],
    ids=["body", "silence", "head", "interim answers"],
)
async def test_slow_servers(script: object) -> None:
    """The time for a fetch holds, however steadily a few bytes come."""
    async with serving() as server:
        server.says("/robots.txt", status=404)
        server.scripts["/"] = script  # type: ignore[assignment]
        assert await outcome(server, "/", limits=IMPATIENT) is Outcome.TIMED_OUT


async def test_time_holds_for_all_redirects_together() -> None:
    """A chain of answers that each come in time is cut off as well."""

    async def slow(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        await saying(f"Location: /{int(asked.path[1:]) + 1}", status=302)(asked, writer)

    async with serving() as server:
        server.scripts |= {f"/{number}": slow for number in range(20)}
        assert await outcome(server, "/0", limits=Limits(total_s=0.5)) is Outcome.TIMED_OUT
    assert len(server.paths) <= 4


async def test_endless_bodies_and_heads() -> None:
    """A body without end is cut at its limit, and a head at aiohttp's."""
    async with serving() as server, fetcher() as fetching:
        server.scripts["/body"] = endless(HEAD, b"x" * 65_536)
        server.scripts["/chunks"] = endless(
            HEAD.replace("\n\n", "\nTransfer-Encoding: chunked\n\n"), b"2\r\nxx\r\n" * 9_999
        )
        server.scripts["/head"] = endless("HTTP/1.1 200 OK\n", b"X-Again: 1\r\n")
        server.scripts["/line"] = endless("HTTP/1.1 200 OK\nX-Long: ", b"x" * 1_000)
        ends = {path: (await fetching.fetch(server.url(path))).outcome for path in server.scripts}
    assert ends == {
        "/body": Outcome.TOO_LARGE,
        "/chunks": Outcome.TOO_LARGE,
        "/head": Outcome.BROKEN,
        "/line": Outcome.BROKEN,
    }


def packed(body: bytes) -> bytes:
    """Return it as gzip, the same bytes at any time: two test processes must find the same tests."""
    return gzip.compress(body, mtime=0)


def size_of(value: object) -> str | None:
    """Name a body by its size; None leaves the name to pytest."""
    return f"{len(value)} bytes" if isinstance(value, bytes) else None


def bomb(wbits: int) -> bytes:
    """Return a few kilobytes that hold a hundred megabytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(100)) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "body", "expected"),
    [
        ("gzip", packed(b"page"), Outcome.FETCHED),
        ("X-GZIP", packed(b"pa") + packed(b"ge"), Outcome.FETCHED),
        ("deflate", zlib.compress(b"page"), Outcome.FETCHED),
        ("deflate", zlib.compress(b"page", wbits=-15), Outcome.FETCHED),
        ("identity", b"page", Outcome.FETCHED),
        ("gzip", bomb(31), Outcome.TOO_LARGE),
        ("deflate", bomb(15), Outcome.TOO_LARGE),
        ("deflate", bomb(-15), Outcome.TOO_LARGE),
        ("gzip", b"".join([packed(bytes(1 << 20))] * 3), Outcome.TOO_LARGE),
        ("gzip", packed(b"page")[:-9], Outcome.UNDECODABLE),
        ("gzip", b"<p>not gzip", Outcome.UNDECODABLE),
        ("gzip", b"", Outcome.UNDECODABLE),
        ("deflate", b"<p>not deflate", Outcome.UNDECODABLE),
        ("br", b"page", Outcome.UNDECODABLE),
        ("gzip, gzip", packed(packed(b"page")), Outcome.UNDECODABLE),
    ],
    ids=size_of,
)
async def test_encodings(encoding: str, body: bytes, expected: Outcome) -> None:
    """What we asked for is decoded, up to the limit; a bomb, a lie, or what we have no decoder for, is refused."""
    async with serving() as server, fetcher() as fetching:
        server.says("/", HTML, f"Content-Encoding: {encoding}", body=body)
        page = await fetching.fetch(server.url("/"))
    assert page.outcome is expected
    assert page.body == (b"page" if expected is Outcome.FETCHED else b"")


async def test_the_size_limit_is_exact() -> None:
    """What has just as many bytes as may be is taken, packed or not."""
    async with serving() as server, fetcher() as fetching:
        for size in (1_000, 1_001):
            server.says(f"/{size}", HTML, body=b"x" * size)
            server.says(f"/{size}.gz", HTML, "Content-Encoding: gzip", body=gzip.compress(b"x" * size))
        ends = [
            (await fetching.fetch(server.url(path), bytes_max=1_000)).outcome
            for path in ("/1000", "/1000.gz", "/1001", "/1001.gz")
        ]
    assert ends == [Outcome.FETCHED, Outcome.FETCHED, Outcome.TOO_LARGE, Outcome.TOO_LARGE]


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ([], b"x", Outcome.WRONG_TYPE),
        (["Content-Type: application/pdf"], b"x", Outcome.WRONG_TYPE),
        (["Content-Type: image/svg+xml; text/html"], b"x", Outcome.WRONG_TYPE),
        (["Content-Type: TEXT/HTML"], b"x", Outcome.FETCHED),
        ([HTML, "Content-Length: 9999999999"], b"x", Outcome.TOO_LARGE),
        ([HTML, "Content-Length: 1000"], b"x", Outcome.BROKEN),
        ([HTML, "Content-Length: -1"], b"x", Outcome.BROKEN),
        ([HTML, "Transfer-Encoding: chunked"], b"zz\r\nxx", Outcome.BROKEN),
        ([HTML, "Transfer-Encoding: chunked"], b"2\r\nxx\r\n", Outcome.BROKEN),
    ],
)
async def test_lies_in_headers(headers: list[str], body: bytes, expected: Outcome) -> None:
    """Wrong lengths, cut bodies and types that weren't asked for: none of them is a page."""
    async with serving() as server:
        server.says("/", *headers, body=body)
        assert await outcome(server, "/") is expected


async def test_what_is_no_http() -> None:
    """A server that speaks something else, or hangs up."""

    async def nonsense(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")

    async def nothing(_: Asked, __: asyncio.StreamWriter) -> None:
        return

    async with serving() as server, fetcher() as fetching:
        server.scripts |= {"/nonsense": nonsense, "/nothing": nothing}
        assert (await fetching.fetch(server.url("/nonsense"))).outcome is Outcome.BROKEN
        assert (await fetching.fetch(server.url("/nothing"))).outcome is Outcome.BROKEN


async def test_certificates() -> None:
    """One that nobody vouches for, or none at all, is no page."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("page.example").configure_cert(context)

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)
        writer.write(b"220 mail.example\r\n")
        writer.close()

    async with fetcher() as fetching:
        for how in ({"ssl": context}, {}):
            listening = await asyncio.start_server(greet, PUBLIC, 0, **how)
            port = listening.sockets[0].getsockname()[1]
            page = await fetching.fetch(f"https://page.example:{port}/")
            listening.close()
            assert page.outcome is Outcome.TLS_FAILED


async def test_hosts_that_are_not_there() -> None:
    """A name without an address, and an address where nothing listens."""
    async with serving() as server:
        pass
    assert await outcome(server, "/") is Outcome.UNREACHABLE
    assert await outcome(server, "/", names=Names({"page.example": [[]]})) is Outcome.UNKNOWN_HOST


async def test_conditional_requests() -> None:
    """Validators go to the page's own host only; 304 counts where we asked for it, and nowhere else."""
    known = Validators('"v1"', "Mon, 23 Nov 2026 07:00:00 GMT")
    async with serving() as server, fetcher() as fetching:
        server.says("/same", status=304)
        server.says("/away", f"Location: {server.url('/there', 'other.example')}", status=301)
        server.says("/there", HTML, body=b"x")
        same = await fetching.fetch(server.url("/same"), validators=known)
        assert (same.outcome, same.body) == (Outcome.NOT_MODIFIED, b"")
        sent = server.asked[-1].headers
        assert (sent["if-none-match"], sent["if-modified-since"]) == (known.etag, known.last_modified)
        assert (await fetching.fetch(server.url("/same"))).outcome is Outcome.BROKEN
        assert (await fetching.fetch(server.url("/away"), validators=known)).outcome is Outcome.FETCHED
        assert "if-none-match" not in server.asked[-1].headers


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (formatdate(1_090, usegmt=True), 88.0),
        (formatdate(0, usegmt=True), 0.0),
        ("99999999", 86_400.0),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
async def test_retry_after(value: str, seconds: float | None) -> None:
    """Seconds or a date, a day at most."""
    time = FakeTime()
    async with serving() as server, fetcher(time=time) as fetching:
        server.says("/robots.txt", status=404)
        server.says("/", f"Retry-After: {value}", status=429)
        page = await fetching.fetch(server.url("/"))
    # The pause after robots.txt is part of the time that has passed.
    assert time.now_s == 1_002.0
    assert (page.outcome, page.status) == (Outcome.RATE_LIMITED, 429)
    assert page.retry_after_s == seconds


async def test_cookies_are_not_kept() -> None:
    """What a server wants us to remember is forgotten."""
    async with serving() as server, fetcher() as fetching:
        server.says("/", HTML, "Set-Cookie: a=b", body=b"x")
        await fetching.fetch(server.url("/"))
        await fetching.fetch(server.url("/"))
    assert not any("cookie" in asked.headers for asked in server.asked)


async def test_cancellation() -> None:
    """A fetch that is cancelled gives its turn back."""
    async with serving() as server, fetcher() as fetching:
        is_asked = asyncio.Event()

        async def slow_page(asked: Asked, writer: asyncio.StreamWriter) -> None:
            is_asked.set()
            await endless(HEAD, b"x", every_s=0.05)(asked, writer)

        server.scripts["/slow"] = slow_page
        server.says("/", HTML, body=b"x")
        slow = asyncio.create_task(fetching.fetch(server.url("/slow")))
        await is_asked.wait()
        slow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slow
        assert (await fetching.fetch(server.url("/"))).outcome is Outcome.FETCHED


async def test_a_request_to_an_interface() -> None:
    """Its headers and body arrive, robots.txt is not asked; headers come back, and so does what an error says."""
    request = ApiRequest({"Authorization": "Bearer s3cr3t"}, b'{"limit":1}')
    async with serving() as server, fetcher() as fetching:
        server.says("/v1", HTML, "X-Units: 7", body=b"rows")
        server.says("/broke", status=403, body=b'{"error":"no units left"}')
        page = await fetching.fetch(server.url("/v1"), request=request)
        refused = await fetching.fetch(server.url("/broke"), request=ApiRequest(request.headers))
    assert (page.outcome, page.body, page.headers["x-units"]) == (Outcome.FETCHED, b"rows", "7")
    assert (refused.outcome, refused.body) == (Outcome.DENIED, b'{"error":"no units left"}')
    assert [(asked.method, asked.path, asked.body) for asked in server.asked] == [
        ("POST", "/v1", b'{"limit":1}'),
        ("GET", "/broke", b""),
    ]
    assert {asked.headers["authorization"] for asked in server.asked} == {"Bearer s3cr3t"}
    assert "s3cr3t" not in repr(request)


async def test_credentials_never_follow_a_redirect() -> None:
    """Neither to another host nor to another address of the same: the token would go along."""
    async with serving() as server, serving() as other, fetcher() as fetching:
        server.says("/a", f"Location: {other.url('/', 'other.example')}", status=302)
        server.says("/b", f"Location: {server.url('/c')}", status=307)
        request = ApiRequest({"Authorization": "Bearer s3cr3t"})
        ends = [(await fetching.fetch(server.url(path), request=request)).outcome for path in ("/a", "/b")]
    assert ends == [Outcome.REFUSED, Outcome.REFUSED]
    assert server.paths == ["/a", "/b"]
    assert not other.asked


async def test_an_error_of_an_interface_has_a_limit_too() -> None:
    """Nobody can fill the memory with the explanation of a refusal."""
    async with serving() as server, fetcher() as fetching:
        server.says("/v1", status=500, body=b"x" * 5_000)
        page = await fetching.fetch(server.url("/v1"), bytes_max=1_000, request=ApiRequest())
    assert (page.outcome, page.body) == (Outcome.TOO_LARGE, b"")
