"""What of the content needs somebody's attention, and why."""

from typing import Final

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Panel

from flatline.domain.time import DAY_MS
from grafana.colours import BAD, DOUBTFUL, Limit, state_words, text_words
from grafana.links import Link, to_alert_in_runbook, to_article_dashboard, to_article_page
from grafana.panels import EMPTY_WHEN_WELL, OF_ALL
from grafana.queries import per_article, per_group, series, titled
from grafana.tables import Column, Label, facts

SILENT: Final = 'state="silent"'
COOLING: Final = 'state="cooling"'
UNDER_CURVE: Final = 'state="under_curve"'
DATE: Final = "time:YYYY-MM-DD"
DAY_S: Final = DAY_MS // 1000
TO_PAGE: Final[Link] = to_article_page("__data.fields.Article")
THERE_IN_MOTION: Final = per_article("flatline_watched_article_state", 'state=~"growing|bursting|revived"')

_FINDING: Final = f"max by (article, finding) ({series('flatline_watched_article_finding')})"
TROUBLED: Final = 'state=~"cooling|silent"'
_IN_TROUBLE: Final = (
    f"({per_article('flatline_watched_article_state', TROUBLED)} or {per_article('flatline_watched_article_finding')})"
)


def state_of(there: str) -> str:
    """Return the state of some articles: of one that two workers show, one."""
    state = f"max by (article, state) ({series('flatline_watched_article_state')})"
    return f"topk by (article) (1, {state}) and on (article) {there}"


def since(there: str) -> str:
    """Return since when some articles are in their state, in ms."""
    return f"1000 * ({per_article('flatline_watched_article_state_since_timestamp_seconds')} and on (article) {there})"


def info_of(there: str) -> str:
    """Return title and series of some articles."""
    return f"{titled()} and on (article) {there}"


def articles(panel_id: int) -> Builder[Panel]:
    """Return the table of articles that are silent or cooling, or of which there is something else to say."""

    def of(metric: str) -> str:
        return f"{per_article(f'flatline_watched_article_{metric}')} and on (article) {_IN_TROUBLE}"

    return facts(
        panel_id,
        "Articles that need a look",
        "Watched articles that are silent or cooling, or have a finding, the surest silence first. Probability: that "
        "no link comes in the next 180 days. Compare the days without a link with the "
        "usual gap. Findings: mass_loss, many links were lost at once; quality_gone, no good links come any more. "
        f"A title leads to the article's dashboard, the address to the article. {EMPTY_WHEN_WELL}",
        Label("title", "Title", at_least=230, link=to_article_dashboard("__data.fields.Article")),
        Label("state", "State", width=85, colours=state_words()),
        Column("Probability", of("silence_probability_ratio"), "percentunit", width=100),
        Column("Days without", f"({of('silence_seconds')}) / {DAY_S}", width=110),
        Column("Usual gap", f"({of('usual_gap_seconds')}) / {DAY_S}", "suffix:days", width=100),
        Column("Since", since(_IN_TROUBLE), DATE, width=105),
        Label("finding", "Finding", width=110),
        Label("series", "Series", width=130),
        Label("article", "Article", at_least=110, link=TO_PAGE),
        described=[state_of(_IN_TROUBLE), f"topk by (article) (1, {_FINDING})", info_of(_IN_TROUBLE)],
        sort_by="Probability",
        height=10,
    )


def groups(panel_id: int) -> Builder[Panel]:
    """Return the table of groups that are under their curve."""
    under = per_group("flatline_group_state", UNDER_CURVE, 'kind=~"$kind"')

    def of(metric: str, *matchers: str) -> str:
        return f"{per_group(f'flatline_group_{metric}', *matchers)} and on (kind, group) {under}"

    gained, expected = (of(f"{name}_links", 'window="stretch"') for name in ("gained", "expected"))
    return facts(
        panel_id,
        "Groups under their curve",
        "Series, authors, strategies and sites that gained too few links for it to be chance: what share of the "
        "expected links came in the stretch of days where so few are least probable, and the chance of that if "
        "nothing had changed. Their articles are not alerted one by one meanwhile. A group's name leads to the "
        f"runbook. {EMPTY_WHEN_WELL}",
        Label("group", "Group", link=to_alert_in_runbook("groupundercurve")),
        Column(
            "Of expected",
            f"({gained}) / ({expected} > 0)",
            "percentunit",
            width=110,
            limits=[Limit(0, BAD), Limit(0.5, DOUBTFUL)],
        ),
        Label("kind", "Kind", width=100),
        Column("Since", f"1000 * ({of('state_since_timestamp_seconds')})", DATE, width=110),
        Column("Gained", gained, width=90),
        Column("Expected", expected, width=90),
        Column("In days", f"({of('stretch_seconds')}) / {DAY_S}", width=90),
        Column("Chance", f"1 / clamp_min({of('shortfall_probability_ratio')}, 1e-9)", "prefix:1 in ", width=140),
        Column("Articles", of("articles"), width=90),
        sort_by="Of expected",
        descending=False,
        height=5,
    )


def firing(panel_id: int) -> Builder[Panel]:
    """Return the table of the alerts that fire now."""
    now = 'ALERTS{alertstate="firing", severity=~"warning|critical"}'
    firing_since = f"ALERTS_FOR_STATE and on (alertname) {now}"
    return facts(
        panel_id,
        "Alerts firing now",
        "Alerts that fire now and need somebody, how many of each, and since when the oldest does. A name leads to "
        f"what the runbook says of it. {OF_ALL} {EMPTY_WHEN_WELL}",
        Label("alertname", "Alert", at_least=150, link=to_alert_in_runbook("${__data.fields.Alert}")),
        Column("Firing", f"count by (alertname, severity) ({now})", width=65),
        Label("severity", "Severity", width=80, colours=text_words({"critical": BAD, "warning": DOUBTFUL})),
        Column("Since", f"1000 * min by (alertname) ({firing_since})", DATE, width=100),
        sort_by="Severity",
        descending=False,
        width=10,
        height=7,
    )
