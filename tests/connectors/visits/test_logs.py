"""Logs of web servers: which lines are visits that a link brought, on which day, and what is kept of the others."""

import gzip
from pathlib import Path

import pytest

from flatline_connectors.files.exports.errors import UnreadableExport
from tests.connectors.visits.reading import read, read_text

AGENT = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"


def line(
    request: str = "GET /a HTTP/1.1",
    *,
    referrer: str = "https://www.news.example/post?id=7",
    agent: str = AGENT,
    status: int = 200,
    before: str = "192.0.2.7 - -",
    time: str = "24/Nov/2026:10:00:00 +0000",
    after: str = "",
) -> str:
    """Return a line of the combined format."""
    return f'{before} [{time}] "{request}" {status} 512 "{referrer}" "{agent}"{after}\n'


VISIT = [("pub.example/a", "news.example", "2026-11-24", 1)]


@pytest.mark.parametrize(
    "written",
    [
        line(),
        line("GET /a?utm_source=x&mail=ada%40mail.example HTTP/2.0"),
        line("GET https://pub.example/a HTTP/1.1"),
        line(status=304),
        line(before="2001:db8::1 - ada"),
        line(before="2001:db8::1 - ada lovelace"),
        line(before="client.example - -"),
        line(before="pub.example:443 192.0.2.7 - -"),
        line(before="www.pub.example:80 2001:db8::1 - -"),
        line(after=' "203.0.113.9, 10.0.0.1" 0.003'),
        line(agent=r"Mozilla \"quoted\" \x22hex\x22"),
        line(referrer=r"https://news.example/\"x\""),
        line(referrer="http://NEWS.example:8080/"),
        line(time="24/Nov/2026:23:59:59 -0800"),
    ],
)
def test_visits(tmp_path: Path, written: str) -> None:
    """Each way in which servers write the same visit gives the same record; its day is that of the server's clock."""
    found = read_text(tmp_path, written)
    assert (found.records, found.rejected) == (VISIT, [])


@pytest.mark.parametrize(
    ("written", "why"),
    [
        (line("POST /a HTTP/1.1"), "not GET"),
        (line("HEAD /a HTTP/1.1"), "not GET"),
        (line(status=206), "answered with neither 200 nor 304"),
        (line(status=301), "answered with neither 200 nor 304"),
        (line(status=404), "answered with neither 200 nor 304"),
        (line("GET /a/t.JPG HTTP/1.1"), "not a page"),
        (line("GET /style.css?v=3 HTTP/1.1"), "not a page"),
        (line(agent="Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"), "bots"),
        (line(agent="SomeCrawler/1.0"), "bots"),
        (line(agent="-"), "bots"),
        (line(agent=""), "bots"),
        (line(referrer="-"), "without a referrer"),
        (line(referrer=""), "without a referrer"),
        (line(referrer="https://pub.example/b"), "from your own site"),
        (line(referrer="https://www.old-pub.example/"), "from your own site"),
        (line(referrer="about:blank"), "whose referrer names no site"),
        (line(referrer="android-app://com.unknown.app/"), "whose referrer names no site"),
        (line(before="other.example:443 192.0.2.7 - -"), "to other sites"),
        (line(r"\x16\x03\x01\x00", status=400), "no HTTP request"),
        (line("-", status=408), "no HTTP request"),
    ],
)
def test_what_is_no_visit(tmp_path: Path, written: str, why: str) -> None:
    """Everything else is skipped, and the reason counted."""
    found = read_text(tmp_path, written)
    assert (found.records, found.rejected, found.skipped) == ([], [], {why: 1})


@pytest.mark.parametrize(
    ("referrer", "domain"),
    {
        "https://t.co/abc": "x.com",
        "https://lnkd.in/abc": "linkedin.com",
        "https://l.facebook.com/": "facebook.com",
        "android-app://com.linkedin.android/": "linkedin.com",
    }.items(),
)
def test_services_with_domains_of_their_own(tmp_path: Path, referrer: str, domain: str) -> None:
    """A short link counts for the service that it belongs to."""
    assert read_text(tmp_path, line(referrer=referrer)).records[0][1] == domain


def test_rotated_files_are_added_up_and_copies_count_once(tmp_path: Path) -> None:
    """A day that is in two files is one record; a file that is there packed and unpacked is read once."""
    (tmp_path / "access.log").write_text(line() + line("GET /b HTTP/1.1"))
    (tmp_path / "access.log.1").write_text(line() * 2)
    (tmp_path / "access.log.2.gz").write_bytes(gzip.compress((line() * 2).encode()))
    found = read(*sorted(tmp_path.iterdir()))
    assert found.records == [
        ("pub.example/a", "news.example", "2026-11-24", 3),
        ("pub.example/b", "news.example", "2026-11-24", 1),
    ]
    assert ["not counted again" in "".join(each.remarks) for each in found.recognised] == [False, False, True]
    assert read(tmp_path / "access.log", tmp_path / "access.log").records == read(tmp_path / "access.log").records


def test_parameters_that_tell_articles_apart(tmp_path: Path) -> None:
    """Of a query only what somebody names is kept."""
    log = line("GET /?p=12&mail=x HTTP/1.1") + line("GET /?mail=y&p=13 HTTP/1.1")
    assert [record[0] for record in read_text(tmp_path, log).records] == ["pub.example/"]
    found = read_text(tmp_path, log, parameters=["p"])
    assert [record[0] for record in found.records] == ["pub.example/?p=12", "pub.example/?p=13"]


def test_bad_lines_are_rejected_without_what_names_a_person(tmp_path: Path) -> None:
    """A line that can't be read has its number and reason; client, user, addresses and queries are not kept."""
    log = (
        line() + '192.0.2.8 - ada [24/Nov/2026:10:00:00 +0000] "GET /a?token=secret 203.0.113.5 2001:db8::7\n' + line()
    )
    log += line(time="31/Feb/2026:10:00:00 +0000") + line(time="24/Nov/2027:10:00:00 +0000")
    found = read_text(tmp_path, log)
    assert found.records[0][3] == 2
    assert [(bad.number, bad.rejected.reason.value) for bad in found.rejected] == [
        (2, "invalid_value"),
        (4, "invalid_time"),
        (5, "invalid_time"),
    ]
    kept = b"".join(bad.value + bad.rejected.detail.encode() for bad in found.rejected)
    for personal in (b"192.0.2", b"ada", b"secret", b"203.0.113.5", b"2001:db8", b"id=7"):
        assert personal not in kept
    assert b'[24/Nov/2026:10:00:00 +0000] "GET /a?' in found.rejected[0].value


@pytest.mark.parametrize(
    ("log", "sites", "words"),
    [
        ('192.0.2.7 - - [24/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5\n', ["pub.example"], "common format"),
        (line(), [], "which site was visited"),
    ],
)
def test_logs_that_lack_something_are_refused(tmp_path: Path, log: str, sites: list[str], words: str) -> None:
    """A log without referrers can't be counted, and one without hosts needs --site."""
    with pytest.raises(UnreadableExport, match=words):
        read_text(tmp_path, log, sites=sites)


CLOUDFLARE = (
    '{{"EdgeStartTimestamp":{time},"ClientRequestHost":"pub.example","ClientRequestMethod":"GET","ClientRequestURI":"/a?x=1",'
    '"ClientRequestReferer":"https://news.example/","ClientRequestUserAgent":"Mozilla","EdgeResponseStatus":200{more}}}\n'
)


@pytest.mark.parametrize(
    "time",
    ['"2026-11-24T10:00:00Z"', '"2026-11-24T23:30:00-00:00"', "1795514400", "1795514400000000000", "1795514400000"],
)
def test_cloudflare_writes_times_in_several_ways(tmp_path: Path, time: str) -> None:
    """RFC 3339, seconds, milliseconds and nanoseconds are told by their size."""
    assert read_text(tmp_path, CLOUDFLARE.format(time=time, more="")).records == VISIT


@pytest.mark.parametrize(
    ("more", "why"),
    {
        ',"ClientIPClass":"searchEngine"': "bots",
        ',"EdgeResponseContentType":"application/json"': "not a page",
    }.items(),
)
def test_what_cloudflare_knows_to_be_no_visit(tmp_path: Path, more: str, why: str) -> None:
    """It says which addresses are machines', and what was sent."""
    assert read_text(tmp_path, CLOUDFLARE.format(time=1795514400, more=more)).skipped == {why: 1}


def test_bad_lines_of_cloudflare(tmp_path: Path) -> None:
    """A line that is cut off, lacks a field or has no time is rejected, and what names a person is not kept."""
    good, ip = CLOUDFLARE.format(time=1795514400, more=""), ',"ClientIP":"2001:db8::7"'
    bad = [CLOUDFLARE.format(time=1795514400, more=ip)[:-3], '{"ClientRequestMethod":"GET"}']
    bad.append(CLOUDFLARE.format(time='"noon"', more=ip).strip())
    found = read_text(tmp_path, good + "\n".join(bad))
    assert (found.records, [each.number for each in found.rejected]) == (VISIT, [2, 3, 4])
    assert not [each for each in found.rejected if b"2001:db8" in each.value or b"x=1" in each.value]
