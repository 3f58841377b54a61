"""A verdict in a terminal."""

from rich.console import Console
from rich.text import Text

from flatline.cli.terminal_text import plain, text
from flatline.domain.formatting import count
from flatline.schema.verdict import Verdict
from flatline.state_styles import STATE_STYLES


def show_verdict(verdict: Verdict, console: Console) -> None:
    """Print what an article is, how it stands, and why."""
    console.print(text(verdict.title or verdict.article, "bold"))
    if verdict.title:
        console.print(text(verdict.article, "dim"))
    registered = (("by", verdict.author), ("series", verdict.series), ("strategy", verdict.strategy))
    about = [f"{name} {plain(what)}" for name, what in registered if what]
    about += [f"tier {verdict.tier}"] if verdict.tier is not None else ["not registered"]
    console.print(Text(", ".join(about), "dim"))
    console.print()
    state = Text(verdict.state.upper(), STATE_STYLES.get(verdict.state, "bold"))
    console.print(state, f"since {verdict.since:%Y-%m-%d}, as of {verdict.judged_at:%Y-%m-%d %H:%M} UTC")
    console.print(text(verdict.reason, characters_max=1_000))
    for finding in verdict.findings:
        console.print(Text(finding.kind.replace("_", " ").upper(), "bold red"), f"since {finding.since:%Y-%m-%d}")
        console.print(text(finding.reason, characters_max=1_000))


def show_links(verdict: Verdict, console: Console) -> None:
    """Print what is counted of an article's links."""
    console.print(
        f"{count(verdict.gained_total, 'link')} gained from {count(verdict.referring_domains, 'domain')}, "
        f"{verdict.live:,} live, {verdict.lost_total:,} lost at least once; {verdict.nofollow:,} nofollow, "
        f"{verdict.ugc:,} ugc, {verdict.sponsored:,} sponsored."
    )
    if verdict.profile is not None:
        burstiness = verdict.profile.burstiness
        aside = "" if burstiness is None else f" Burstiness {burstiness:+.2f} (-1 regular, 0 random, 1 bursty)."
        console.print(f"Profile: {verdict.profile.reason}{aside}")
    if (worth := verdict.worth) is not None:
        last = f"the last that matters came on {worth.last_worthy_on}" if worth.last_worthy_on else "none matters"
        console.print(
            f"Worth: {worth.weighted_total:,.1f} in all; {worth.thin:,} of the links are thin; "
            f"{worth.worthy_in_90_days:,} of those of the last 90 days matter; {last}."
        )
    if (impact := verdict.impact) is not None:
        console.print(
            f"Impact: {count(impact.visits_total, 'visit')}, {impact.visits_in_days.last_28:,} of them in 28 days; "
            f"{count(impact.links_with_visits, 'link')} from {count(impact.sending_domains, 'domain')} that sent some,"
            f" {impact.links_without_visits:,} from others, {impact.trophies:,} of these for show only."
        )


def heading(console: Console, words: str) -> None:
    """Print the title of a section."""
    console.print()
    console.print(Text(words, "bold"))
