"""Exports of analytics tools: what they say of articles and referring domains, and what they can't say."""

import json
from pathlib import Path
from typing import Any

import pytest

from flatline_connectors.files.exports.errors import UnreadableExport
from tests.connectors.visits.reading import read_text

GA4 = "# ----\n# Free form 1\n# ----\n"
GA4_QUERIES = "20261124;/a?gclid=1;news.example / referral;2\n20261124;/a?gclid=2;news.example / referral;1\n"
UMAMI_HEADER = "url_path,hostname,referrer_domain,created_at,event_type\n"
UMAMI = "/a,pub.example,{},2026-11-24 10:00:00.000,{}\n"
VISIT = [("pub.example/a", "news.example", "2026-11-24", 3)]
DIMENSIONS = ["time:day", "event:page", "visit:referrer"]


@pytest.mark.parametrize(
    "table",
    [
        GA4 + "Date,Landing page,Session source / medium,Sessions\n20261124,/a,news.example / referral,3\n",
        GA4 + "Session source;Session medium;Date;Landing page;Sessions\nwww.news.example;referral;20261124;/a;3\n",
        "Date,Full page URL,Page referrer,Views\n20261124,pub.example/a,https://news.example/post?x=1,3\n",
        UMAMI_HEADER + UMAMI.format("news.example", 1) * 3 + UMAMI.format("news.example", 2) + UMAMI.format("", 1),
        "\ufeffsep=;\nDate;Landing page + query string;Session source / medium;Sessions\n" + GA4_QUERIES,
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_tables(tmp_path: Path, table: str, encoding: str) -> None:
    """Columns count by name, in any order, delimiter and encoding."""
    found = read_text(tmp_path, table.encode(encoding))
    assert (found.records, found.rejected) == (VISIT, [])


def test_a_snapshot_with_several_reports(tmp_path: Path) -> None:
    """Each report after its comment has columns of its own; those without visits are left out."""
    report = "Date,Landing page,Session source / medium,Sessions\n20261124,/a,news.example / referral,{}\n"
    table = GA4 + report.format(1) + "\n# ----\nCountry,Active users\nNorway,7\nKenya,8\n\n# ----\n" + report.format(2)
    found = read_text(tmp_path, table)
    assert (found.records, found.rejected) == (VISIT, [])
    assert found.skipped == {"of another report in the file": 2}


def test_bad_rows_of_a_table(tmp_path: Path) -> None:
    """A row that is no visit has its line number and the reason; the others are taken."""
    rows = [
        "20261124,/a,news.example / referral,3",
        "20261124,/a,news.example / referral",
        "20261124,/a,b.example / referral,x",
    ]
    rows += [
        "2026,/a,b.example / referral,1",
        "20271124,/a,b.example / referral,1",
        "20261124,a b,b.example / referral,1",
    ]
    found = read_text(tmp_path, "Date,Landing page,Session source / medium,Sessions\n" + "\n".join(rows))
    assert found.records == VISIT
    assert [(bad.number, bad.rejected.reason.value) for bad in found.rejected] == [
        (3, "invalid_value"),
        (4, "wrong_type"),
        (5, "invalid_time"),
        (6, "invalid_time"),
        (7, "invalid_url"),
    ]


@pytest.mark.parametrize(
    ("table", "words"),
    {
        "Nth day,Landing page,Session source / medium,Sessions\n0001,/a,b.example / referral,1\n": "no column Date",
        "Landing page,Sessions\n/a,1\n": "says where visits came from",
        "name,visitors,bounce_rate\nnews.example,3,1\n": "tables of their own",
        "Zeit,Seite\n1,2\n": "holds no visits",
    }.items(),
)
def test_tables_that_can_not_be_joined(tmp_path: Path, table: str, words: str) -> None:
    """They are refused with the reason."""
    with pytest.raises(UnreadableExport, match=words):
        read_text(tmp_path, table)


def plausible(rows: list[Any], dimensions: list[str] = DIMENSIONS, **meta: int) -> str:
    """Return an answer of Plausible's API."""
    return json.dumps({"results": rows, "meta": meta, "query": {"dimensions": dimensions, "metrics": ["visits"]}})


def test_plausible(tmp_path: Path) -> None:
    """Dimensions count by name; names that are no domain are no referrer; an answer that goes on says so."""
    rows = [
        {"dimensions": ["www.news.example/post", "2026-11-24", "/a"], "metrics": [3]},
        {"dimensions": ["Google", "2026-11-24", "/a"], "metrics": [9]},
        {"dimensions": ["news.example", "2026-11-24"], "metrics": [9]},
        {"dimensions": ["news.example", "24", "/a"], "metrics": [9]},
    ]
    found = read_text(tmp_path, plausible(rows, [DIMENSIONS[2], *DIMENSIONS[:2]], total_rows=5))
    assert (found.records, [bad.number for bad in found.rejected]) == (VISIT, [3, 4])
    assert "ends at row 4 of 5" in found.recognised[0].remarks[0]


MATOMO_VISIT = {
    "serverDate": "2026-11-24",
    "visitIp": "192.0.2.7",
    "referrerUrl": "https://news.example/post",
    "actionDetails": [
        {"type": "action", "url": "https://pub.example/a?x=1"},
        {"type": "action", "url": "https://pub.example/b"},
    ],
}


def test_visits_of_matomo(tmp_path: Path) -> None:
    """A visit counts for the page that it began with; of a bad one nothing is kept, because it names a person."""
    direct, broken = {**MATOMO_VISIT, "referrerUrl": ""}, {**MATOMO_VISIT, "serverDate": "yesterday"}
    found = read_text(tmp_path, json.dumps([MATOMO_VISIT, MATOMO_VISIT, MATOMO_VISIT, direct, broken]))
    assert found.records == VISIT
    assert [(bad.number, bad.value) for bad in found.rejected] == [(5, b"")]


@pytest.mark.parametrize(
    ("answer", "words"),
    {
        plausible([], DIMENSIONS[:2]): "without visit:referrer",
        '{"results":[]}': "version 2",
        '{"result":"error","message":"no such site"}': "no such site",
        '{"zip":"UEsDBA=="}': "Umami",
        '[{"label":"news.example","nb_visits":3}]': "name no day",
        '{"results":[': "begins as JSON",
    }.items(),
)
def test_answers_that_can_not_be_joined(tmp_path: Path, answer: str, words: str) -> None:
    """They are refused with the reason."""
    with pytest.raises(UnreadableExport, match=words):
        read_text(tmp_path, answer)


def test_weeks_are_no_days(tmp_path: Path) -> None:
    """Matomo with period=week says of no day how many visits it had."""
    found = read_text(
        tmp_path, '{"2026-11-23,2026-11-29":[{"label":"news.example","nb_visits":3}]}', article="https://pub.example/a"
    )
    assert (found.records, found.rejected[0].rejected.reason.value) == ([], "invalid_time")
