"""Simulated exports: any columns in any order, encoding and delimiter give the links that were written."""

import csv
import io
import zipfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline_connectors.files.exports.errors import UnreadableExport
from flatline_connectors.files.exports.merging import merged
from flatline_connectors.files.exports.row import Row, Statement
from flatline_connectors.files.exports.values import text_of
from tests.connectors.exports.reading import EXPORTED_AT, read
from tests.connectors.exports.workbook import workbook

Link = tuple[int, int, str, datetime, bool]  # page, article, anchor, first seen, nofollow

texts = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\u2028\u2029\x85")
    | st.sampled_from('",;\t|\n'),
    max_size=20,
).map(str.strip)
links = st.lists(
    st.tuples(
        st.integers(0, 9),
        st.integers(0, 2),
        texts.filter(lambda text: text not in {"", "x"} and text_of(text) == text),
        st.datetimes(datetime(2020, 1, 1), datetime(2026, 1, 1)).map(lambda at: at.replace(microsecond=0, tzinfo=UTC)),  # noqa: DTZ001
        st.booleans(),
    ),
    unique_by=lambda link: (link[0], link[1]),
    max_size=10,
)
FORMS = {
    "ahrefs-backlinks": ("Referring page URL", "Target URL", "Anchor", "First seen", "Nofollow"),
    "semrush-backlinks": ("Source url", "Target url", "Anchor", "First seen", "Nofollow"),
    "majestic-backlinks": ("SourceURL", "TargetURL", "AnchorText", "FirstIndexedDate", "FlagNoFollow"),
    "hand-kept": ("Linking page", "Target", "Link text", "Found on", "no follow"),
}


def rows_of(form: str, written: list[Link]) -> list[list[str]]:
    """Return header and rows of an export with these links."""
    further = {"semrush-backlinks": "Page ascore"}.get(form, "Notes")
    header = [*FORMS[form], further]
    yes, no = ("1", "0") if form == "majestic-backlinks" else ("true", "false")
    rows = [
        [
            f"https://page{page}.example/a?b={page}",
            f"https://pub.example/{article}",
            anchor,
            at.strftime("%Y-%m-%d %H:%M:%S"),
            yes if nofollow else no,
            "7",
        ]
        for page, article, anchor, at, nofollow in written
    ]
    return [header, *rows]


@pytest.mark.parametrize("form", FORMS)
@given(
    written=links,
    order=st.permutations(range(6)),
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    preamble=st.integers(0, 6),
)
def test_what_was_written_is_read(
    form: str,
    written: list[Link],
    *,
    order: list[int],
    delimiter: str,
    encoding: str,
    quoting: int,
    line_end: str,
    preamble: int,
) -> None:
    """Columns are found by name, whatever else the file does; each link comes once, with its time and texts."""
    out = io.StringIO(newline="")
    out.write(f"Report{line_end}" * preamble)
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=line_end)  # type: ignore[arg-type]
    writer.writerows([row[place] for place in order] for row in rows_of(form, written))
    events, rejected, found = read("file.csv", out.getvalue().encode(encoding))
    assert rejected == []
    assert [(table.format, table.links) for table in found] == [(form, len(written))]
    assert sorted(
        (event.url_from, event.url_to, event.anchor, event.observed_at, "nofollow" in (event.rel or ()))
        for event in events
    ) == sorted(
        (f"https://page{page}.example/a?b={page}", f"https://pub.example/{article}", anchor, at, nofollow)
        for page, article, anchor, at, nofollow in written
    )


@pytest.mark.parametrize("broken_at", [1, 3, 5])
def test_a_quote_that_nobody_closed_costs_its_own_row(broken_at: int) -> None:
    """The rows below a broken one are read as if it weren't there."""
    rows = [f'https://page{n}.example/,https://pub.example/{n},"anchor {n}",2026-01-01' for n in range(6)]
    rows[broken_at] = rows[broken_at].replace(f' {broken_at}"', "")
    events, rejected, _ = read("file.csv", "\n".join(["source url,target url,anchor,first seen", *rows]).encode())
    assert [row.number for row in rejected] == [broken_at + 2]
    assert [event.url_to[-1] for event in events] == [str(n) for n in range(6) if n != broken_at]


def test_many_broken_quotes_take_no_longer_than_the_file_is_long() -> None:
    """Each broken row is given up after some lines, not at the end of the file."""
    rows = [f'https://page{n}.example/,https://pub.example/{n},"{"open" * n}' for n in range(1, 401)]
    rows.append("https://page.example/,https://pub.example/good,good")
    events, rejected, _ = read("file.csv", "\n".join(["source url,target url,anchor", *rows]).encode())
    assert [row.number for row in rejected] == list(range(2, 402))
    assert [event.anchor for event in events] == ["good"]


@given(written=links.filter(bool), sheets=st.integers(1, 2))
def test_workbooks(written: list[Link], sheets: int) -> None:
    """A sheet of a workbook reads like a file, dates that are Excel's own numbers included; other sheets are left."""
    rows = rows_of("hand-kept", written)
    typed: list[list[str | datetime]] = [list(rows[0])]
    typed += [[*row[:3], link[3].replace(tzinfo=None), *row[4:]] for row, link in zip(rows[1:], written, strict=True)]
    data = workbook({"Notes": [["nothing", "here"]], **{f"Links {n}": typed for n in range(sheets)}})
    events, rejected, found = read("links.xlsx", data)
    assert rejected == []
    assert [table.links for table in found] == [len(written)] * sheets
    assert {(event.url_from, event.url_to, event.observed_at) for event in events} == {
        (f"https://page{page}.example/a?b={page}", f"https://pub.example/{article}", at)
        for page, article, _, at, _ in written
    }


def test_an_archive_gives_the_links_of_its_files() -> None:
    """Files without links are left; one that would unpack without measure is refused."""
    plain = b"source url,target url\nhttps://a.example/,https://pub.example/1\n"
    totals = "Site,Linking pages,Target pages\na.example,1,1\n"
    packed = archived(("links.csv", plain), ("totals.csv", totals), method=zipfile.ZIP_DEFLATED)
    events, _, _ = read("all.zip", packed)
    assert [event.url_to for event in events] == ["https://pub.example/1"]
    bomb = archived(("links.csv", plain + b"\n" * 50_000_000), method=zipfile.ZIP_DEFLATED)
    with pytest.raises(UnreadableExport, match="Unpack it yourself"):
        read("bomb.zip", bomb)


def archived(*files: tuple[str, str | bytes], method: int) -> bytes:
    """Pack files into a zip archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return packed.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"PK\x03\x04broken",
        b"\xd0\xcf\x11\xe0broken",
        b"{broken",
        b"\xff\xfea",
        b"\x00\x01\x02",
        b"[1, 2]",
        b'{"tasks": 1}',
    ],
)
def test_broken_files_are_refused_by_name(data: bytes) -> None:
    """Whatever the bytes are, the answer is a message about the file."""
    with pytest.raises(UnreadableExport, match=r"file\.bin"):
        read("file.bin", data)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """No file ends in another error than the one that says what is wrong."""
    for prefix in (b"", b"source url,target url,first seen\n", b"\xff\xfe", b"PK\x03\x04", b'{"backlinks": [', b"["):
        with suppress(UnreadableExport):
            read("file", prefix + data)


@given(
    st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]),
    st.lists(st.tuples(st.integers(0, 399), st.integers(0, 255)), min_size=1, max_size=4),
    st.integers(0, 20),
)
def test_a_damaged_archive_is_read_or_refused(method: int, damage: list[tuple[int, int]], cut: int) -> None:
    """Damage within an archive ends as damage at its head does: with the error that names the file."""
    lines = "".join(f"https://{n * n % 89}.example/{n * 7919},https://pub.example/{n}\n" for n in range(12))
    packed = archived(("links.csv", "source url,target url\n" + lines), method=method)
    data = bytearray(packed[: len(packed) - cut])
    for place, value in damage:
        data[place % len(data)] = value
    with suppress(UnreadableExport):
        read("links.zip", bytes(data))


def test_archives_within_archives_end() -> None:
    """An archive that holds archives, however deep, ends with the error that names the file, too."""
    data = b"source url,target url\n"
    for _ in range(1_000):
        data = archived(("a", data), method=zipfile.ZIP_DEFLATED)
    with pytest.raises(UnreadableExport, match=r"deep\.zip"):
        read("deep.zip", data)


instants = st.none() | st.datetimes(datetime(2020, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
rows = st.builds(
    Row,
    url_from=st.just("https://a.example/"),
    url_to=st.just("https://b.example/"),
    anchor=st.sampled_from(["", "one", "two"]),
    anchor_is_alt=st.booleans(),
    rel=st.none() | st.frozensets(st.sampled_from(["nofollow", "ugc"])),
    placement=st.sampled_from([None, "content", "footer"]),
    authority=st.none() | st.floats(0, 100),
    statement=st.sampled_from(Statement),
    first_seen=instants,
    last_seen=instants,
    is_lost=st.booleans(),
    flags=st.frozensets(st.sampled_from(["image", "spam"])),
)


@given(rows, rows, rows)
def test_rows_of_one_link_merge_in_any_order(first: Row, second: Row, third: Row) -> None:
    """Live if one is, seen since the first, followed if one is; whatever the order of the rows."""
    whole = merged(merged(first, second), third)
    assert whole == merged(third, merged(second, first)) == merged(merged(third, first), second)
    assert whole.is_lost == all(row.is_lost for row in (first, second, third))
    assert whole.first_seen == min((row.first_seen for row in (first, second, third) if row.first_seen), default=None)
    if any(row.rel == frozenset() for row in (first, second, third)):
        assert whole.rel == frozenset()


def test_what_is_old_is_history() -> None:
    """Links first seen before the given day are an import, whatever the tool says; a newer one keeps its statement."""
    header = "Referring page URL,Target URL,First seen,Discovered status"
    lines = [
        f"https://{n}.example/,https://pub.example/,{EXPORTED_AT - timedelta(days=n):%Y-%m-%d},linkfound"
        for n in (1, 99)
    ]
    history_before = EXPORTED_AT - timedelta(days=14)
    events, _, _ = read("a.csv", "\n".join([header, *lines]).encode(), history_before=history_before)
    assert [event.discovery for event in events] == ["link_found", "import"]


def test_only_links_to_our_sites_are_taken() -> None:
    """Rows that lead elsewhere, and our own pages among the linking ones, are counted and left."""
    pairs = [("a.example", "pub.example"), ("a.example", "other.example"), ("blog.pub.example", "pub.example")]
    lines = [f"https://{page}/,https://{target}/" for page, target in pairs]
    events, _, found = read("a.csv", "\n".join(["source url,target url", *lines]).encode())
    assert [event.url_from for event in events] == ["https://a.example/"]
    assert dict(found[0].skipped) == {"internal": 1, "leads to no site of yours": 1}


def test_a_part_of_a_list_says_so() -> None:
    """Each link that is there has the flag; losses have none, and nothing else differs."""
    rows = ["https://a.example/,https://pub.example/,", "https://b.example/,https://pub.example/,2026-11-01"]
    data = "\n".join(["Referring page URL,Target URL,Lost", *rows]).encode()
    whole, _, _ = read("a.csv", data)
    part, _, _ = read("a.csv", data, is_part=True)
    assert [(event.change, event.flags) for event in part] == [
        ("gained", ["floor"]),
        ("gained", ["floor"]),
        ("lost", []),
    ]
    assert [msgspec.structs.replace(event, flags=[]) for event in part] == [
        msgspec.structs.replace(event, flags=[]) for event in whole
    ]


def test_an_address_with_a_user_name_is_rejected() -> None:
    """A password in an address must not reach the log of links."""
    data = b"source url,target url\nhttps://me:secret@a.example/,https://pub.example/\n"
    events, rejected, _ = read("a.csv", data)
    assert events == []
    assert "secret" not in str(rejected[0].rejected)
