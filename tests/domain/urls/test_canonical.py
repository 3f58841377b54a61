import json
import re
from collections.abc import Callable
from pathlib import Path
from string import hexdigits
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit

import can_ada
import idna
import pytest
import zstandard
from hypothesis import example, given
from hypothesis import strategies as st

from flatline.domain.sites import Sites
from flatline.domain.state.moves import Moves
from flatline.domain.urls import canonical as urls
from flatline.domain.urls.canonical import (
    INDEX_FILES,
    MAX_LENGTH,
    SLUG_LENGTH_MAX,
    InvalidUrl,
    absolute,
    canonicalize,
    referring_domain,
    set_further_blog_platforms,
    slug,
)
from flatline.domain.urls.tracking_parameters import TRACKING_PARAMETERS, TRACKING_PREFIXES
from flatline.schema.rejection import Rejected
from tests.examples import examples

RULES = Path(urls.__file__).with_name("URLS.md")
SAMPLE = Path(__file__).parents[4] / "shared" / "data" / "sample.ndjson.zst"


def documented(heading: str) -> list[list[str]]:
    """Read the rows of the table below a heading of URLS.md."""
    section = RULES.read_text("utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    table = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip("`") for cell in row.strip("| ").split(" | ")] for row in table[2:]]


class Page(NamedTuple):
    """The parts of a canonical URL."""

    host: str
    port: str = ""
    segments: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()

    def __str__(self) -> str:
        query = f"?{'&'.join(self.parameters)}" if self.parameters else ""
        return f"https://{self.host}{self.port}/{'/'.join(self.segments)}{query}"


UNRESERVED = "abcXYZ019-._~"
WWW_HOSTS = ["example.com", "a-b.example.co.uk", "xn--bcher-kva.example", "someone.github.io", "github.io", "a_b.fr"]
OTHER_HOSTS = ["www.gov.uk", "www.com", "localhost", "www.intranet", "192.0.2.7", "[2001:db8::1]"]

words = st.lists(st.sampled_from([*UNRESERVED, "%C3%A9", "%2F", "%25", "+", ",", ":", "@", "!"]), min_size=1).map(
    "".join
)
segments = words.filter(lambda word: word not in {".", ".."}) | st.sampled_from(["", "index.php", "100%", "utm_id=x"])
parameters = st.builds("{}{}".format, words, words.map("={}".format) | st.sampled_from(["", "=", "=%", "==?/"]))
pages = st.builds(
    Page,
    host=st.sampled_from(WWW_HOSTS + OTHER_HOSTS),
    port=st.sampled_from(["", "", ":8080", ":1"]),
    segments=st.lists(segments).map(tuple),
    parameters=st.lists(parameters | st.sampled_from(["ref=x", "source=y", "id=1", "a[]=1"])).map(tuple),
).filter(lambda page: not page.segments or page.segments[-1] not in {"", *INDEX_FILES})

cases: st.SearchStrategy[Callable[[str], str]] = st.sampled_from([str.lower, str.upper, str.title])
tracking = st.builds(
    lambda name, case, value: case(name) + value,
    st.sampled_from([*sorted(TRACKING_PARAMETERS), *(f"{prefix}any" for prefix in TRACKING_PREFIXES)]),
    cases,
    st.sampled_from(["", "=", "=x"]),
)
index_files = st.builds(lambda name, case: case(name), st.sampled_from(sorted(INDEX_FILES)), cases)


@st.composite
def escaped_otherwise(draw: st.DrawFn, text: str) -> str:
    """Escape some unreserved characters, give some escapes lower case."""
    parts = re.findall(r"%[0-9A-F]{2}|.", text)
    for index in draw(st.sets(st.integers(0, len(parts) - 1), max_size=4)) if parts else ():
        escape = f"%{ord(parts[index]):02X}" if parts[index] in UNRESERVED else parts[index]
        parts[index] = draw(st.sampled_from([escape, escape.lower()])) if "%" in escape else escape
    return "".join(parts)


@st.composite
def with_more(draw: st.DrawFn, texts: tuple[str, ...], more: st.SearchStrategy[str]) -> list[str]:
    """Escape the texts otherwise and put more texts at any places between them."""
    result = [draw(escaped_otherwise(text)) for text in texts]
    for text in draw(st.lists(more, max_size=3)):
        result.insert(draw(st.integers(0, len(result))), text)
    return result


@st.composite
def variants(draw: st.DrawFn, page: Page) -> str:
    """Write a page in another way, by any of the documented rules at once."""
    host = "www." * draw(st.integers(0, 2)) * (page.host in WWW_HOSTS) + page.host
    others = [".", "%2e", "x/..", "x/.%2E", "(S(lit3py55t21z5v55vlm25s55))"]
    path = "/".join(draw(with_more(page.segments, st.sampled_from(others))))
    query = draw(st.sampled_from(["&", "&amp;"])).join(draw(with_more(page.parameters, tracking | st.just(""))))
    return "".join(
        [
            draw(st.sampled_from(["", " ", "\n\t"])),
            draw(st.sampled_from(["https://", "http://", "HTTP://", "https:\\\\"])),
            draw(st.sampled_from(["", "someone@", "someone:secret@"])),
            draw(cases)(host),
            draw(st.sampled_from(["", "."])) if "[" not in host else "",
            page.port or draw(st.sampled_from(["", ":", ":80", ":443"])),
            f"/{path}",
            *(f"/{name}" for name in draw(st.lists(index_files | st.just(""), max_size=3))),
            draw(st.sampled_from(["", "/;jsessionid=E460A978.n2"])),
            f"?{query}" if query else draw(st.sampled_from(["", "?"])),
            draw(st.sampled_from(["", "#", "#part", "#!/part?id=1"])),
        ]
    )


def check_canonical(url: str) -> None:
    """Assert what is promised of every canonical URL."""
    assert canonicalize(url) == url
    assert can_ada.parse(url).href == url
    assert url.isascii()
    assert len(url) <= MAX_LENGTH
    host = can_ada.parse(url).hostname
    assert url.startswith(f"https://{host}")
    assert referring_domain(url)
    assert f".{host}".endswith(f".{referring_domain(url)}")
    assert len(slug(url)) <= 200


@pytest.mark.parametrize(("rule", "url", "canonical"), documented("Folded"))
def test_documented_variants_are_folded(rule: str, url: str, canonical: str) -> None:
    """Each example of URLS.md holds, and what it gives is canonical."""
    assert canonicalize(url) == canonical, rule
    check_canonical(canonical)


@pytest.mark.parametrize(("because", "one", "another"), documented("Kept apart"))
def test_documented_differences_are_kept(because: str, one: str, another: str) -> None:
    """Both pages of each example of URLS.md are canonical as they stand, hence two."""
    assert one != another, because
    check_canonical(one)
    check_canonical(another)


@pytest.mark.parametrize(
    ("reason", "url"),
    [
        *documented("Rejected"),
        ("not an absolute URL", ""),
        ("not an absolute URL", "//example.com/a"),
        ("not an absolute URL", "https://"),
        ("not an absolute URL", "https://example.com:65536/"),
        ("not an absolute URL", "https://1.2.3.4.5/"),
        ("not an absolute URL", "https://example.com/\ud800"),
        ("not an absolute URL", "https://exam\0ple.com/"),
        ("neither http nor https", "javascript:alert(1)"),
        ("neither http nor https", "ftp://example.com/a"),
        ("no valid host name", "https://./"),
        ("no valid host name", "https://a..b/"),
        ("no valid host name", "https://1../"),  # "1" alone would become an IP address
        ("no valid host name", "https://{{host}}/"),
        ("no valid host name", f"https://{'a' * 64}.com/"),
        ("no valid host name", f"https://{'a.' * 126}ab/"),
        ("longer than 4,096 characters", "https://example.com/" + "a" * 4077),
        ("longer than 4,096 characters", "https://example.com/" + "é" * 680),
    ],
)
def test_what_is_no_url_is_rejected_with_its_reason(reason: str, url: str) -> None:
    """The reason is one of four texts, without a word of the URL."""
    with pytest.raises(InvalidUrl, match=f"^{re.escape(reason)}$"):
        canonicalize(url)


def test_limits_include_their_values() -> None:
    """4,096 characters of URL, before and after escaping, 253 of host and 63 of label are accepted."""
    for url in [
        f"https://example.com/{'a' * 4076}",
        f"https://example.com/aa{'%C3%A9' * 679}",
        f"https://{'a.' * 126}a/",
        f"https://{'a' * 63}.com/",
    ]:
        check_canonical(url)
    assert canonicalize(f"https://example.com/aa{'é' * 679}") == f"https://example.com/aa{'%C3%A9' * 679}"


@pytest.mark.parametrize(
    ("url", "canonical", "because"),
    [
        ("https://www.com/", "https://www.com/", "com is no host of anybody"),
        ("https://www.www.com/", "https://www.com/", "the first www. stands before a registrable domain"),
        ("https://www.co.uk/", "https://www.co.uk/", "co.uk is a registry"),
        ("https://www.www.ck/", "https://www.ck/", "www.ck is an exception among the suffixes *.ck"),
        ("https://www.intranet/", "https://www.intranet/", "a single label may be a registry that we don't know"),
        ("https://wwwexample.com/", "https://wwwexample.com/", "without the dot it is a name like any other"),
        ("http://0x7f.1:443/", "https://127.0.0.1/", "browsers read other spellings of IP addresses"),
        ("https://[::FFFF:192.0.2.7]:80/", "https://[::ffff:c000:207]/", "IPv6 addresses have one spelling (RFC 5952)"),
        ("https://ex%61mple.com/", "https://example.com/", "hosts may be escaped"),
        ("https://example。com/", "https://example.com/", "IDNA knows other full stops"),
        ("https://example.com/%%34%31", "https://example.com/%%341", "decoding %34 would begin an escape"),
        ("https://example.com/%zz%2", "https://example.com/%zz%2", "malformed escapes are left alone"),
        ("https://example.com/%2541", "https://example.com/%2541", "an escaped percent sign is not decoded twice"),
        ("https://example.com/%252e%252E/a", "https://example.com/%252e%252E/a", "twice escaped dots are names"),
        ("https://example.com/a/index.html/index.php/", "https://example.com/a", "what is left can be an index file"),
        ("https://example.com/inde%78.html", "https://example.com/", "an index file may be escaped"),
        ("https://example.com/my-index.html", "https://example.com/my-index.html", "an ending is not the name"),
        ("https://example.com//", "https://example.com/", "slashes alone are the root"),
        ("https://example.com/a?u%74m_source=x", "https://example.com/a", "a tracking parameter may be escaped"),
        ("https://example.com/a?utm_source", "https://example.com/a", "or without a value"),
        ("https://example.com/a?my_utm_source=x", "https://example.com/a?my_utm_source=x", "only the beginning counts"),
        ("https://example.com/a?b=utm_source", "https://example.com/a?b=utm_source", "values don't track"),
        ("https://example.com/a?b=%2B+c;utm_id=1", "https://example.com/a?b=%2B+c;utm_id=1", "only & separates"),
        ("https://example.com/..;jsessionid=1", "https://example.com/..;jsessionid=1", "two dots are no name"),
        ("https://example.com/a%3Bjsessionid=1", "https://example.com/a", "the semicolon may be escaped"),
        ("https://example.com/a;jsessionid=1/b;JSESSIONID=2", "https://example.com/a/b", "in any segment"),
        ("https://example.com/..amp", "https://example.com/..amp", "one dot is no name"),
        ("https://example.com/index.amp.html", "https://example.com/", "what is left can be an index file"),
        ("https://example.com/a/index.php/amp", "https://example.com/a", "and before it, too"),
        ("https://example.com/%3A%CC%81", "https://example.com/%3A%CC%81", "an escape's digit is no letter"),
        ("https://example.com/?a=%CC%B8", "https://example.com/?a=%CC%B8", "what separates is no letter either"),
        ("https://example.com/%E2%84%AA", "https://example.com/K", "one letter that Unicode has twice"),
        ("https://example.com/%CC%FF", "https://example.com/%CC%FF", "what is no UTF-8 has no form"),
        ("https://example.com/?a=1&AMP%3BAMP;b", "https://example.com/?a=1&b", "entities may be escaped and doubled"),
        ("https://a.cdn.ampproject.org/c/s/-!.com/y", "https://a.cdn.ampproject.org/c/s/-!.com/y", "no host"),
        ("https://google.de:8080/amp/s/a.com", "https://google.de:8080/amp/s/a.com", "another server"),
        ("https://cdn.ampproject.org/c/google.com/amp/s/a.com/b.amp", "https://a.com/b", "copies of copies"),
        ("https://example.com/a?session_id=12", "https://example.com/a?session_id=12", "a talk at a conference"),
        ("https://example.com/a?b=c/", "https://example.com/a?b=c/", "a value's slash may count"),
    ],
)
def test_edges(url: str, canonical: str, because: str) -> None:
    """Where two rules or two readings meet, the documented rule says which."""
    assert canonicalize(url) == canonical, because
    check_canonical(canonical)


def test_every_escape_is_normal_as_urllib_writes_it() -> None:
    """urllib.parse.quote leaves RFC 3986's unreserved characters bare and writes the others in upper case."""
    for escape in (f"%{high}{low}" for high in hexdigits for low in hexdigits):
        normal = quote(bytes.fromhex(escape[1:]), safe="")
        assert (
            canonicalize(f"https://example.com/a{escape}b?c{escape}d") == f"https://example.com/a{normal}b?c{normal}d"
        )


@given(pages.map(str))
def test_canonical_urls_stand(url: str) -> None:
    """A URL to which no rule applies is its own canonical form, so any difference between two is kept."""
    check_canonical(url)


@given(st.data(), pages)
def test_variants_are_one(data: st.DataObject, page: Page) -> None:
    """However a page is written by the documented rules, at once, its canonical form is the same."""
    assert canonicalize(data.draw(variants(page))) == str(page)


@given(st.data(), pages)
@pytest.mark.parametrize(
    ("one", "another"),
    [
        ({"segments": ("Case",)}, {"segments": ("case",)}),
        ({"segments": ("a", "b")}, {"segments": ("a", "", "b")}),
        ({"port": ":8080"}, {"port": ""}),
        ({"host": "example.com"}, {"host": "blog.example.com"}),
        ({"parameters": ("id=1",)}, {"parameters": ("id=2",)}),
        ({"parameters": ("id=1",)}, {"parameters": ()}),
        ({"parameters": ("a=1", "b=2")}, {"parameters": ("b=2", "a=1")}),
    ],
)
def test_variants_of_two_pages_stay_apart(
    one: dict[str, Any], another: dict[str, Any], data: st.DataObject, page: Page
) -> None:
    """However two pages with a documented difference are written, their canonical forms differ."""
    urls = [data.draw(variants(page._replace(**difference))) for difference in (one, another)]
    assert canonicalize(urls[0]) != canonicalize(urls[1])


url_shaped = st.builds(
    "{}{}".format,
    st.sampled_from(
        ["http://", "https://", "https:", "https://www.", "https://example.com/", "https://example.com/?", ""]
    ),
    st.lists(
        st.characters()
        | st.sampled_from(
            [*"/:?#&=%@[]\\.。é\t\0\ud800", "..", "%2e", "%2F", "%4", "%41", "%e9", "%%", "xn--", "ß", ":80"]
        )
        | st.sampled_from(["www.", ".com", "1", "0x7f", "/index.html", "/a/", "utm_source=x", "&fbclid"])
        | st.sampled_from([";jsessionid=", "/amp", ".amp", ".html", "&amp;", "amp%3B", "%CC%81", "/(S(", "))", "e"])
        | st.sampled_from(["cdn.ampproject.org/c/s/", "google.com/amp/s/", "/c/", "(S(lit3py55t21z5v55vlm25s55))"]),
        max_size=30,
    ).map("".join),
)


@examples(1000)
@given(st.text(st.characters()) | url_shaped)
@example("https://example.com/" + "é" * 2000)
@example("https://" + "a" * MAX_LENGTH)
@example("https://a.example/(S(lit3py55t21z5v55vlm25s55));JSESSIONID=")
def test_any_text_is_canonical_or_invalid(text: str) -> None:
    """No text, lone surrogates and control characters included, raises anything but InvalidUrl."""
    try:
        canonical = canonicalize(text)
    except InvalidUrl:
        return
    check_canonical(canonical)


@pytest.mark.parametrize(
    ("url", "domain", "because"),
    [
        ("https://a.b.example.com/", "example.com", "subdomains belong to the owner of the domain"),
        ("https://example.co.uk:8080/a?b", "example.co.uk", "co.uk is a registry; the port doesn't count"),
        ("https://a.someone.github.io/", "someone.github.io", "users of github.io are different owners"),
        ("https://one.substack.com/p/a", "one.substack.com", "a newsletter of its own, in no public suffix list"),
        ("https://www.one.substack.com/p/a", "one.substack.com", "and so is what is below it"),
        ("https://a.one.tumblr.com/", "one.tumblr.com", "one label below the platform"),
        ("https://substack.com/a", "substack.com", "the platform itself"),
        ("https://notsubstack.com/a", "notsubstack.com", "another name"),
        ("https://github.io/", "github.io", "a public suffix is its own domain"),
        ("https://www.gov.uk/", "www.gov.uk", "below the registry gov.uk"),
        ("https://a.xn--bcher-kva.example/", "xn--bcher-kva.example", "Punycode, below a suffix that nobody lists"),
        ("https://a.xn--h1aax.xn--p1ai/", "xn--h1aax.xn--p1ai", "a suffix in Punycode"),
        ("https://localhost:8711/", "localhost", "a single label"),
        ("https://192.0.2.7:8080/", "192.0.2.7", "an IPv4 address has no subdomains"),
        ("https://[2001:db8::1]:8080/", "[2001:db8::1]", "nor has one of IPv6"),
    ],
)
def test_referring_domain(url: str, domain: str, because: str) -> None:
    """The registrable domain, else the host."""
    assert referring_domain(canonicalize(url)) == domain, because


@pytest.mark.parametrize(("host", "without", "with_setting"), documented("Referring domain"))
def test_a_setting_adds_platforms(host: str, without: str, with_setting: str) -> None:
    """The examples of URLS.md, before and after it is set."""
    url = canonicalize(f"https://{host}/")
    assert referring_domain(url) == without
    set_further_blog_platforms(["blogs.example"])
    try:
        assert referring_domain(url) == with_setting
    finally:
        set_further_blog_platforms([])


@pytest.mark.parametrize("domain", ["a.blogs.example", "github.io", "example", "Blogs.Example", "127.0.0.1"])
def test_what_is_no_platform(domain: str) -> None:
    """Only a registrable domain has owners below it that no public suffix list names."""
    with pytest.raises(ValueError, match="no registrable domain"):
        set_further_blog_platforms([domain])


@pytest.mark.parametrize(("reported", "article"), documented("Parameters that a site ignores"))
def test_a_site_ignores_its_parameters(reported: str, article: str) -> None:
    """The examples of URLS.md: where links to an address count, by the record of the site."""
    sites = Sites()
    sites.receive_record(b"yours.example", b'{"domain": "yours.example", "ignored_parameters": ["promo", "ab_*"]}')
    assert Moves(sites=sites).current(canonicalize(reported).encode()) == article.encode()


@given(pages.map(str), st.integers(18, 60))
def test_slug_is_bounded_and_tells_pages_apart(url: str, max_length: int) -> None:
    """A short URL loses only its scheme; a long one is cut, and still differs from others with its beginning."""
    assert f"https://{slug(url, MAX_LENGTH)}" == url
    assert len(slug(url, max_length)) == min(len(url) - len("https://"), max_length)
    assert slug(f"{url}a", max_length) != slug(f"{url}b", max_length)


def test_slug_is_the_same_for_ever() -> None:
    """Its digest depends on no process and no machine: it names time series."""
    assert slug("https://example.com/" + "a" * 300, 31) == "example.com/aa~18aea29e015a2781"


@given(pages.map(str))
@example("https://[2001:db8::1]:8080/")
def test_a_slug_is_an_address(url: str) -> None:
    """What alerts call a page leads back to it, and so does each of its URLs, which are left as they are."""
    assert absolute(url, field="article") == url
    if len(url) - len("https://") <= SLUG_LENGTH_MAX:
        assert absolute(f" {slug(url)}\n", field="article") == url


def test_a_slug_that_was_cut_is_no_address() -> None:
    """It is refused, with the reason; a whole one that is as long is not."""
    url = "https://example.com/" + "a" * 300
    with pytest.raises(Rejected) as raised:
        absolute(slug(url), field="article")
    assert raised.value.detail.startswith("article: a label that was cut at 200 characters")
    whole = slug(url)[: SLUG_LENGTH_MAX - 1] + "x"
    assert absolute(whole, field="article") == f"https://{whole}"


@pytest.mark.parametrize(
    "text", ["mailto:someone@example.com", "someone@example.com/a", "/a/b", "example.com", "http:/a"]
)
def test_what_is_no_slug_stays_what_it_is(text: str) -> None:
    """Other schemes, relative addresses and names are made no URLs of."""
    assert absolute(text, field="article") == text


def reference(url: str) -> tuple[str, str]:
    """Give the host and the decoded path of a page by other means: urllib and idna."""
    parts = urlsplit(url)
    host = idna.encode((parts.hostname or "").rstrip("."), uts46=True).decode().removeprefix("www.")
    return host, re.sub(
        r"(/+((index|default)\.([sx]?html?|php|aspx?|jsp))?)*$", "", unquote(parts.path), flags=re.IGNORECASE
    )


def test_real_urls_agree_with_another_implementation() -> None:
    """The URLs of real link events are accepted, fold to stable forms, and to urllib's and idna's host and path."""
    if not SAMPLE.exists():
        pytest.skip(f"{SAMPLE.name} is not there: the real link events are no part of the repository")
    with zstandard.open(SAMPLE, "rt", encoding="utf-8") as lines:
        events = [json.loads(line) for line in lines]
    sample = sorted({event[end] for event in events for end in ("url_from", "url_to")})
    assert len(sample) > 1000
    for url in sample:
        canonical = canonicalize(url)
        check_canonical(canonical)
        parts = urlsplit(canonical)
        assert ((parts.hostname or "").removeprefix("www."), unquote(parts.path).rstrip("/")) == reference(url)
