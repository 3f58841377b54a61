"""Samples of real tools' files, where they lie beside the project: headers and quirks as the tools write them."""

from datetime import datetime

import pytest

from flatline.schema.link_event import LinkEvent
from flatline_connectors.files.exports.errors import UnreadableExport
from tests.connectors.exports.reading import EXPORTED_AT, read
from tests.samples import SAMPLES, with_samples

pytestmark = with_samples

T1, T2 = "https://pub.example/guides/slow-tomatoes", "https://pub.example/interviews/ada-okoro"
NEWS, ROLL = "https://www.garden-news.example/ten-patient-vegetables", "https://linkroll.example/2019/w7?a=1&b=2"
OLD_BLOG, FEED, SHORT = "http://oldblog.example/tomatoes", "https://linkroll.example/feed/", "https://short.example/x"
FORUM, PODCAST = "https://forum.beet.example/t/812", "https://podcast.example/ep/44"
OLD_FORUM = "https://oldforum.example/t/1"
SHOP, PIN = "https://shop.example/look", "https://img.example/pin/7"
NOW = EXPORTED_AT.isoformat(" ")[:19]
SEEN = "2026-11-20 08:14:03"
SPRING = "2025-03-02 00:00:00"
CHECKED = "2026-11-19 05:00:00"
RED = "a red tomato"
GUIDE = "slow tomato guide"
# change, discovery, page, article, observed_at (UTC), anchor, rel, placement, flags, lost_reason
Expected = tuple[str, str, str, str, str, str | None, str, str | None, str, str | None]

AHREFS: list[Expected] = [
    ("gained", "link_found", NEWS, T1, "2026-11-20 08:14:03", GUIDE, "", "content", "", None),
    ("gained", "page_found", ROLL, T1, "2026-11-21 19:40:55", None, "", None, "image", None),
    ("gained", "link_found", FORUM, T1, "2026-11-24 04:31:20", "diese Anleitung", "nofollow ugc", "content", "", None),
    ("gained", "link_found", PODCAST, T2, "2026-06-01 12:00:00", "full interview", "", "content", "", None),
    ("lost", "link_found", PODCAST, T2, "2026-11-18 03:22:45", None, "", None, "", "removed"),
    ("gained", "import", "http://parked.example/a", T2, "2021-01-05 00:00:00", "Ada Okoro", "", "content", "", None),
    ("gained", "link_found", SHOP, T1, "2026-11-22 22:05:00", "recipe", "sponsored", "content", "floor spam", None),
    ("gained", "link_found", OLD_BLOG, T1, "2026-11-22 02:05:00", None, "", None, "redirect", None),
]  # fmt: skip
SEMRUSH_LOST: Expected = ("lost", "import", PODCAST, T2, NOW, None, "", None, "", "vendor_unsure")
MAJESTIC: list[Expected] = [
    ("gained", "page_found", NEWS, T1, "2026-11-20 00:00:00", GUIDE, "", None, "", None),
    ("gained", "page_found", PODCAST, T2, "2026-06-01 00:00:00", "full interview", "", None, "", None),
    ("lost", "page_found", PODCAST, T2, "2026-11-18 00:00:00", None, "", None, "", "vendor_unsure"),
    ("gained", "page_found", PIN, T1, "2026-11-21 00:00:00", "a red tomato", "nofollow", None, "image", None),
]
EXPECTED: dict[str, list[Expected]] = {
    "ahrefs_backlinks_utf16.csv": AHREFS,
    "ahrefs_backlinks_utf8.csv": AHREFS[:3],
    "ahrefs_broken_backlinks_utf16.csv": [
        ("gained", "import", f"https://{host}.example/p", article, CHECKED, anchor, rel, "content", "", None)
        for host, article, anchor, rel in (
            ("a", "https://pub.example/gone", "gone page", ""),
            ("b", T1, "guide", ""),
            ("c", "https://pub.example/typo%20page", "x", "nofollow"),
        )
    ],
    "ahrefs_api_all_backlinks.json": [
        AHREFS[0],
        AHREFS[1],
        AHREFS[3],
        AHREFS[4],
        ("gained", "link_found", SHOP, T1, "2026-11-22 22:05:00", "recipe", "sponsored", "content", "spam", None),
    ],
    "semrush_backlinks.csv": [
        ("gained", "link_found", NEWS, T1, "2026-11-20 00:00:00", GUIDE, "", None, "", None),
        ("gained", "import", FORUM, T1, SPRING, 'diese "Anleitung"', "nofollow ugc", None, "sitewide", None),
        ("gained", "import", PODCAST, T2, "2026-06-01 00:00:00", "full interview", "", None, "", None),
        SEMRUSH_LOST,
        ("gained", "link_found", FEED, f"{T1}#soil", "2026-11-21 00:00:00", T1, "sponsored", None, "", None),
    ],
    "semrush_backlinks_old.csv": [
        ("gained", "import", "https://roundup.example/2019", T1, "2019-05-04 00:00:00", "tomatoes", "", None, "", None),
        ("gained", "import", OLD_FORUM, T1, "2018-01-01 00:00:00", "here", "nofollow", None, "sitewide", None),
        ("gained", "import", PIN, T2, "2019-12-31 00:00:00", None, "", None, "image", None),
    ],
    "semrush_api_v3.txt": [
        ("gained", "link_found", NEWS, T1, "2026-11-20 08:14:03", GUIDE, "", None, "", None),
        ("gained", "import", PODCAST, T2, "2026-06-01 12:00:00", "full interview", "", None, "", None),
        SEMRUSH_LOST,
        ("gained", "import", FORUM, T1, "2025-03-02 10:00:00", "diese; Anleitung", "nofollow", None, "", None),
    ],
    "semrush_api_v3_nothing.txt": [],
    "semrush_api_v4_links.json": [
        ("gained", "link_found", NEWS, T1, "2026-11-20 08:14:03", GUIDE, "", None, "", None),
        ("gained", "import", PODCAST, T2, "2026-06-01 12:00:00", "full interview", "", None, "", None),
        SEMRUSH_LOST,
        ("gained", "import", SHOP, T1, "2026-11-22 00:00:00", None, "nofollow sponsored", None, "", None),
    ],
    "majestic_download.csv": [
        MAJESTIC[0],
        ("gained", "page_found", FORUM, T1, "2025-03-02 00:00:00", "diese Anleitung", "nofollow", None, "", None),
        ("gained", "import", PODCAST, T2, "2025-06-01 00:00:00", None, "", None, "image", None),
    ],
    "majestic_getbacklinkdata.csv": MAJESTIC,
    "majestic_getbacklinkdata.json": MAJESTIC,
    "moz_inbound_links.csv": [
        ("gained", "import", NEWS, T1, "2026-11-25 00:00:00", GUIDE, "", None, "", None),
        ("gained", "import", FORUM, T1, "2026-11-25 00:00:00", "diese Anleitung", "nofollow", None, "", None),
    ],
    "moz_api_v2_links.json": [
        ("gained", "import", NEWS, T1, "2026-11-20 00:00:00", GUIDE, "", None, "", None),
        ("gained", "import", PODCAST, T2, "2026-06-01 00:00:00", "full interview", "", None, "", None),
        ("lost", "import", PODCAST, T2, "2026-11-18 00:00:00", None, "", None, "", "vendor_unsure"),
        ("gained", "import", FORUM, T1, NOW, None, "", None, "", None),
    ],
    "bing_backlinks_pages.csv": [
        ("gained", "import", NEWS, T1, NOW, GUIDE, "", None, "", None),
        ("gained", "import", FORUM, T1, NOW, 'diese "Anleitung"', "", None, "", None),
        ("gained", "import", PODCAST, "https://www.pub.example/interviews/ada-okoro/", NOW, None, "", None, "", None),
    ],
    "dataforseo_backlinks_live.json": [
        ("gained", "link_found", NEWS, T1, "2026-11-20 08:14:03", GUIDE, "", "content", "", None),
        ("gained", "page_found", ROLL.partition("?")[0], T1, SEEN, RED, "nofollow noopener", "footer", "image", None),
        ("gained", "link_found", PODCAST, T2, "2026-06-01 12:00:00", "full interview", "", "content", "", None),
        ("lost", "link_found", PODCAST, T2, "2026-11-18 03:22:45", None, "", None, "", "removed"),
        ("gained", "link_found", SHORT, T1, "2026-11-20 08:14:03", None, "", None, "redirect", None),
    ],
    "generic_links.csv": [("gained", "import", "https://a.example/p", T1, NOW, "x", "", None, "", None)],
}  # fmt: skip


def short(event: LinkEvent) -> Expected:
    """Return what is compared of an event."""
    at = event.observed_at or datetime.min.replace(tzinfo=EXPORTED_AT.tzinfo)
    return (
        event.change,
        event.discovery,
        event.url_from.replace("&amp;", "&"),
        event.url_to,
        at.isoformat(" ")[:19],
        event.anchor,
        " ".join(event.rel or ()),
        event.placement,
        " ".join(event.flags),
        event.lost_reason,
    )


@pytest.mark.parametrize("name", EXPECTED)
def test_a_sample_gives_exactly_its_events(name: str) -> None:
    """Each file of a tool gives the events that its description names, and no other."""
    events, _, _ = read(name, (SAMPLES / name).read_bytes())
    assert sorted(map(short, events), key=str) == sorted(EXPECTED[name], key=str)


def test_what_stands_beside_the_links_is_kept() -> None:
    """Title, author, language, kind of page, context, authority and the page's own date reach the event."""
    events, _, _ = read("export", (SAMPLES / "ahrefs_backlinks_utf16.csv").read_bytes())
    first = next(event for event in events if event.url_from == NEWS)
    assert first.page is not None
    assert (first.page.title, first.page.author) == ("Ten patient vegetables", "Mara Lind")
    assert (first.page.language, first.page.type) == ("en", "/Article/Listicle")
    assert (first.context, first.authority) == ("as the slow tomato guide explains", 61)
    titled = next(event for event in events if event.url_from == ROLL)
    assert titled.page is not None
    assert titled.page.title == 'Links of 2019 "revisited"\nweek 7'
    answered, _, _ = read("answer", (SAMPLES / "ahrefs_api_all_backlinks.json").read_bytes())
    found = next(event for event in answered if event.discovery == "page_found")
    assert str(found.occurred_at) == "2019-02-15 00:00:00+00:00"


@pytest.mark.parametrize(
    ("name", "numbers"),
    {"majestic_download.csv": [5], "generic_links.csv": [4, 5], "moz_inbound_links.csv": []}.items(),
)
def test_broken_rows_are_rejected_by_their_line(name: str, numbers: list[int]) -> None:
    """A row that can't be read is named by its line, and the others are taken."""
    _, rejected, _ = read(name, (SAMPLES / name).read_bytes())
    assert [row.number for row in rejected] == numbers


@pytest.mark.parametrize(
    ("name", "words"),
    {
        "semrush_shifted_columns.csv": ["First seen", "false, false", "nothing was taken"],
        "bing_backlinks_domains.csv": ["Bing", "export Pages"],
        "bing_error.json": ["error of Bing"],
        "bing_geturllinks.json": ["does not name the page"],
        "gsc_latest_links_en.csv": ["Search Console", "have to be fetched"],
        "gsc_latest_links_he.csv": ["Search Console", "have to be fetched"],
        "gsc_top_linked_pages_internally.csv": ["totals"],
        "gsc_links_export.zip": ["Latest links.csv", "have to be fetched"],
        "unknown_columns.csv": ["Quelle", "Ziel", "--map url_from="],
        "visits_ga4_export.csv": ["no export that is known"],
        "ahrefs_backlinks_utf16.csv": [],
    }.items(),
)
def test_what_can_not_be_read_is_refused_with_the_reason(name: str, words: list[str]) -> None:
    """The message says what was found and what to do."""
    if not words:
        assert read(name, (SAMPLES / name).read_bytes())[0]
        return
    with pytest.raises(UnreadableExport) as refused:
        read(name, (SAMPLES / name).read_bytes())
    assert all(word in str(refused.value) for word in (name, *words))
