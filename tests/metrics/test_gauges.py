"""What is scraped is what the snapshot says."""

from flatline.domain.sites import Sites
from flatline.metrics.limits import GROUPS_LABELLED_MAX
from flatline.schema import codec
from flatline.schema.group import GroupKind, GroupState
from flatline.schema.site_record import SiteRecord
from tests.metrics.snapshots import NOW, SNAPSHOT, group, registry_of, rich, samples_of

ARTICLE = ("article", 'yours.example/"quoted"\\path')


def test_gauges_show_the_snapshot() -> None:
    """What is scraped, read back by a parser, is what the snapshot says; foreign text survives as a label."""
    samples = samples_of(registry_of(SNAPSHOT))
    assert samples["flatline_articles", (("state", "steady"),)] == 2
    assert samples["flatline_articles", (("state", "new"),)] == 0
    assert samples["flatline_series_articles", (("series", "Notes"), ("state", "silent"))] == 1
    assert samples["flatline_expected_links", (("window", "28d"),)] == 14
    assert samples["flatline_watch_list_left_out", (("registered", "true"),)] == 3
    assert samples["flatline_watch_list_capacity", ()] == 150
    assert samples["flatline_source_stale", (("source", "north"),)] == 1
    assert samples["flatline_source_staleness_seconds", (("source", "north"),)] == 5
    assert samples["flatline_source_report_lag_seconds", (("source", "north"),)] == 86_400
    assert samples["flatline_consumer_lag_records", (("partition", "0"), ("topic", "links"))] == 7
    assert samples["flatline_declared_partitions", ()] == 8
    assert samples["flatline_partitions", (("phase", "recovered"),)] == 3
    assert samples["flatline_rebalances_total", ()] == 2


def test_a_watched_article_shows_what_is_known() -> None:
    """State and findings are series only while they hold; durations are seconds, instants timestamps."""
    samples = samples_of(registry_of(SNAPSHOT))
    of_article = {
        (name.removeprefix("flatline_watched_article_"), *(value for key, value in labels if key != "article")): number
        for (name, labels), number in samples.items()
        if ARTICLE in labels and name != "flatline_watched_article_info"
    }
    day_s = 86_400
    assert of_article == {
        ("state", "silent"): 1,
        ("state_since_timestamp_seconds",): NOW.timestamp(),
        ("finding", "mass_loss", "page_gone"): 1,
        ("finding", "quality_gone", ""): 1,
        ("finding_since_timestamp_seconds", "mass_loss"): NOW.timestamp(),
        ("finding_since_timestamp_seconds", "quality_gone"): NOW.timestamp(),
        ("unseen",): 1,
        ("silence_probability_ratio",): 0.75,
        ("silence_seconds",): 9 * day_s,
        ("usual_gap_seconds",): 3 * day_s,
        ("last_gained_timestamp_seconds",): NOW.timestamp(),
        **{("gained_links", window): 1 for window in ("7d", "28d", "90d")},
        **{("expected_links", window): 4 for window in ("7d", "28d", "90d")},
        ("links", "gained"): 40,
        ("links", "live"): 40,
        ("referring_domains",): 1,
        ("weighted_links",): 7.5,
        ("worthy_links",): 2,
        ("visits",): 12,
    }


def test_groups_show_what_was_expected_and_what_came() -> None:
    """Each window, and the stretch that the alert is about; one of which nothing can be said has no probability."""
    samples = samples_of(registry_of(SNAPSHOT))
    labels = (("group", "Field Notes"), ("kind", "series"))
    stretch, quarter = (*labels, ("window", "stretch")), (*labels, ("window", "90d"))
    nobody = {"owner": "", "channel": "", "time_zone": ""}
    states = {
        dict(found)["state"]: value
        for (name, found), value in samples.items()
        if name == "flatline_group_state" and {*labels, *nobody.items()} < {*found}
    }
    assert states == {"under_curve": 1}
    assert samples["flatline_group_expected_links", stretch] == 41.5
    assert samples["flatline_group_gained_links", quarter] == 15
    assert samples["flatline_group_shortfall_probability_ratio", labels] == 0.002
    assert samples["flatline_group_stretch_seconds", labels] == 84 * 86_400
    assert ("flatline_group_stretch_seconds", (("group", "Tides"), ("kind", "series"))) not in samples


def test_who_is_responsible() -> None:
    """Articles and groups that are sites say it, where the site has a record; a series may be of several sites."""
    sites = Sites()
    record = SiteRecord("yours.example", owner="Docs", channel="docs", time_zone="Europe/Paris")
    sites.receive_record(b"yours.example", codec.sites.encode(record))
    groups = [group("yours.example", GroupState.UNDER_CURVE, kind=kind) for kind in (GroupKind.SITE, GroupKind.SERIES)]
    articles = [rich(f"https://{host}/a") for host in ("blog.yours.example", "others.example")]
    samples = samples_of(registry_of(SNAPSHOT._replace(sites=sites, groups=groups, watched=articles)))
    named = {
        (name, found.get("kind") or found["article"]): (found["owner"], found["channel"], found["time_zone"])
        for (name, labels) in samples
        if name in ("flatline_group_state", "flatline_watched_article_info")
        for found in [dict(labels)]
    }
    known, unknown = ("Docs", "docs", "Europe/Paris"), ("", "", "")
    assert named == {
        ("flatline_group_state", "site"): known,
        ("flatline_group_state", "series"): unknown,
        ("flatline_watched_article_info", "blog.yours.example/a"): known,
        ("flatline_watched_article_info", "others.example/a"): unknown,
    }


def test_trouble_has_room_first() -> None:
    """However many groups there are, those under their curve are shown."""
    groups = [group(f"series {number}", GroupState.ON_CURVE) for number in range(GROUPS_LABELLED_MAX * 2)]
    samples = samples_of(registry_of(SNAPSHOT._replace(groups=[*groups, group("Z", GroupState.UNDER_CURVE)])))
    shown = {dict(labels)["group"] for name, labels in samples if name == "flatline_group_state"}
    assert len(shown) == GROUPS_LABELLED_MAX
    assert "Z" in shown
    assert samples["flatline_groups_left_out", ()] == GROUPS_LABELLED_MAX + 1


def test_cohorts_show_the_ages_that_are_known() -> None:
    """A share that nobody knows has no sample."""
    samples = samples_of(registry_of(SNAPSHOT))
    month = (("cohort", "2025-03"), ("kind", "month"))
    assert samples["flatline_cohort_links_ratio", (("age", "180d"), *month)] == 0.09
    assert ("flatline_cohort_links_ratio", (("age", "1460d"), *month)) not in samples
    assert samples["flatline_cohort_articles", month] == 12
