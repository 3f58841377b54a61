"""Prints a verdict in a terminal."""

from rich.console import Console
from rich.text import Text

from flatline.cli.terminal_text import plain, text
from flatline.domain.formatting import count
from flatline.schema.verdict import Verdict
from flatline.state_styles import STATE_STYLES


def show_verdict(verdict: Verdict, console: Console) -> None:
    """Print the article, its state, and the reason."""
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
    at_least = "At least " if verdict.is_floor else ""
    console.print(
        f"{at_least}{count(verdict.gained_total, 'link')} gained from {count(verdict.referring_domains, 'domain')}, "
        f"{verdict.live:,} live, {verdict.lost_total:,} lost at least once; {verdict.nofollow:,} nofollow, "
        f"{verdict.ugc:,} ugc, {verdict.sponsored:,} sponsored."
    )
    if verdict.is_floor:
        console.print("A source reports only a part of the links: these counts are minimums.")
    if verdict.profile is not None:
        burstiness = verdict.profile.burstiness
        aside = "" if burstiness is None else f" Burstiness {burstiness:+.2f} (-1 regular, 0 random, 1 bursty)."
        console.print(f"Profile: {verdict.profile.reason}{aside}")
    if (worth := verdict.worth) is not None:
        last = f"the last one came on {worth.last_worthy_on}" if worth.last_worthy_on else "there never was one"
        console.print(
            f"Quality: the links add up to {worth.weighted_total:,.1f}; {worth.thin:,} are thin. High-quality links in "
            f"the last 90 days: {worth.worthy_in_90_days:,}; {last}."
        )
    if (impact := verdict.impact) is not None:
        console.print(
            f"Impact: {count(impact.visits_total, 'visit')}, {impact.visits_in_days.last_28:,} of them in the last 28 "
            f"days; {count(impact.links_with_visits, 'link')} from {count(impact.sending_domains, 'domain')} that sent "
            f"visits, {impact.links_without_visits:,} from others ({impact.trophies:,} of these are trophies: still "
            f"there, but have never sent a visit)."
        )


def heading(console: Console, words: str) -> None:
    """Print the title of a section."""
    console.print()
    console.print(Text(words, "bold"))
