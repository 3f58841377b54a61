"""Samples of real logs and exports, where they lie beside the project: columns and quirks as the tools write them."""

import pytest

from flatline_connectors.files.exports.errors import UnreadableExport
from tests.connectors.visits.reading import read
from tests.samples import SAMPLES, with_samples

pytestmark = with_samples

T1, T2 = "pub.example/guides/slow-tomatoes", "pub.example/interviews/ada-okoro"
NEWS = "garden-news.example"


@pytest.mark.parametrize(
    ("name", "records"),
    {
        "visits_nginx_combined.log": [
            (T1, NEWS, "2026-11-23", 1),
            (T1, NEWS, "2026-11-24", 1),
            (T2, "t.example", "2026-11-24", 1),
        ],
        "visits_apache_vhost.log": [(T1, "beet.example", "2026-11-24", 1)],
        "visits_cloudflare_http_requests.ndjson": [(T1, NEWS, "2026-11-24", 1)],
        "visits_ga4_export.csv": [(T1, NEWS, "2026-11-23", 2)],
        "visits_plausible_query.json": [(T1, NEWS, "2026-11-23", 2), (T2, "co.example", "2026-11-24", 1)],
    }.items(),
)
def test_each_gives_exactly_these_records(name: str, records: list[tuple[str, str, str, int]]) -> None:
    """Bots, own referrers, images, noise, totals and search engines are left out."""
    found = read(SAMPLES / name)
    assert (found.records, found.rejected) == (records, [])


def test_referring_websites_of_one_article() -> None:
    """Matomo's answer counts for the article that it was asked about; the rest of a cut list is dropped."""
    found = read(SAMPLES / "visits_matomo_getwebsites.json", article=f"https://{T1}")
    assert found.records == [(T1, "beet.example", "2026-11-24", 1), (T1, NEWS, "2026-11-23", 2)]
    assert found.skipped == {"the rest of a list that was cut off": 1}


@pytest.mark.parametrize(
    ("name", "words"),
    {
        "visits_matomo_getwebsites.json": ("which article", "--article"),
        "visits_plausible_imported_pages_20261123_20261124.csv": ("tables of their own", "visit:referrer"),
        "visits_plausible_imported_sources_20261123_20261124.csv": ("tables of their own", "visit:referrer"),
        "visits_umami_referrers.csv": ("tables of their own", "website_event"),
        "ahrefs_backlinks_utf16.csv": ("no visits that are known", "connectors/README.md"),
        "gsc_links_export.zip": ("no visits that are known", "connectors/README.md"),
        "dataforseo_backlinks_live.json": ("no visits that are known", "connectors/README.md"),
    }.items(),
)
def test_what_can_not_be_joined_is_refused(name: str, words: tuple[str, str]) -> None:
    """The message says why, and the remedy what to export instead."""
    with pytest.raises(UnreadableExport) as refused:
        read(SAMPLES / name)
    assert words[0] in str(refused.value)
    assert words[1] in refused.value.remedy
