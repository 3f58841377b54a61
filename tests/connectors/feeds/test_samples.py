"""The samples of feeds, where they lie beside the project."""

from datetime import UTC, datetime

from flatline_connectors.feeds.entries import read_entries
from flatline_connectors.feeds.following import FeedPosition, follow
from flatline_connectors.sites import on_sites
from tests.samples import SAMPLES, with_samples

pytestmark = with_samples

T1, T2 = "https://pub.example/guides/slow-tomatoes", "https://pub.example/interviews/ada-okoro"
IS_OURS = on_sites(["pub.example"])
LAST_READ_AT, READ_AT = datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 24, 12, tzinfo=UTC)


def read(name: str) -> tuple[list[tuple[str, str, str, str, str]], list[str]]:
    """Return the events of a feed that was read a day before, and the pages to fetch."""
    entries = read_entries((SAMPLES / name).read_bytes(), "https://theirs.example/feed", is_ours=IS_OURS)
    events, position = follow(FeedPosition(read_at=LAST_READ_AT), entries, read_at=READ_AT)
    said = [
        (
            event.discovery,
            event.url_from,
            event.url_to,
            " ".join(event.rel or []),
            f"{event.occurred_at:%Y-%m-%dT%H:%MZ}" if event.occurred_at else "",
        )
        for event in events
    ]
    return said, [page.url for page in position.pages]


def test_atom() -> None:
    """xml:base, dates with a zone, a mention in plain text, and an old entry that was edited."""
    events, pages = read("feed_atom.xml")
    assert events == [
        ("link_found", "https://notes.example/2026/slow", T1, "nofollow", "2026-11-23T08:30Z"),
        ("link_found", "https://notes.example/2019/old", T2, "", "2026-11-24T09:59Z"),
    ]
    assert pages == ["https://notes.example/2026/none"]


def test_rss() -> None:
    """ISO-8859-1, an identifier that is no address, a date that is none, and an entry without a link."""
    events, pages = read("feed_rss.xml")
    assert events == [
        ("link_found", "https://gaertner.example/p/1?utm_source=rss", T1, "", "2026-11-23T06:00Z"),
        ("link_found", "https://gaertner.example/p/2", T2, "", ""),
    ]
    assert pages == ["https://gaertner.example/p/2", "https://gaertner.example/p/3"]
