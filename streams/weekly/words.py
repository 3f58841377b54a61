"""A summary in words: lines for a terminal, and a message for Slack. What is said of articles is the domain's own."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from flatline.domain.formatting import count
from flatline.readmodel.queries.weekly import WeeklySummary

_TITLE_CHARACTERS_MAX: Final = 80
_TEXT_CHARACTERS_MAX: Final = 400
_URL_CHARACTERS_MAX: Final = 3_000
# As deploy/alertmanager/slack/escaping.tmpl has it: marks of direction and control characters.
_MARKS: Final = re.compile("[\u061c\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_CONTROLS: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


class Item(NamedTuple):
    """What is said of an article, by its address; of a group without one."""

    url: str | None
    name: str
    said: str


class Section(NamedTuple):
    """A heading and what is below it."""

    heading: str
    items: Sequence[Item]


def headline(summary: WeeklySummary) -> str:
    """Return the sentence that the summary begins with."""
    change = summary.gained - summary.gained_before
    compared = "as many as" if not change else f"{abs(change):,} {'more' if change > 0 else 'fewer'} than"
    lost = f"; {count(summary.lost, 'link')} {'was' if summary.lost == 1 else 'were'} lost" if summary.lost else ""
    return (
        f"From {summary.since} to {summary.until}, your articles gained {count(summary.gained, 'link')}, {compared} in "
        f"the week before{lost}."
    )


def sections(summary: WeeklySummary) -> list[Section]:
    """Return what the summary has to say; a section without anything is left out."""
    gained = [
        Item(each.article, _name(each.title, each.article), f"{count(each.gained, 'link')} ({each.gained_before:,})")
        for each in summary.most_gained
    ]
    stopped = [Item(each.subject, _name(each.title, each.subject), each.reason or "") for each in summary.stopped]
    if summary.stopped_left_out:
        stopped.append(Item(None, f"and {summary.stopped_left_out:,} more", ""))
    refresh = [Item(each.article, _name(each.title, each.article), each.reason or "") for each in summary.to_refresh]
    groups = [Item(None, "", reason) for reason in summary.under_curve]
    said = [Item(None, "", summary.came_true), Item(None, "", summary.marked)]
    found = (
        Section("Gained most (in brackets: in the week before)", gained),
        Section("Stopped gaining links", stopped),
        Section("Groups under their curve", groups),
        Section("To refresh: silent or cooling, worst first", refresh),
        Section("How right alerts were", said),
    )
    return [section for section in found if section.items]


def lines(summary: WeeklySummary) -> Iterator[str]:
    """Yield the summary as lines; texts of others are in them as they are."""
    yield headline(summary)
    for section in sections(summary):
        yield ""
        yield section.heading
        for item in section.items:
            yield f"  {': '.join(filter(None, (item.name, item.said)))}"


def slack_message(summary: WeeklySummary, page_url: str) -> dict[str, Any]:
    """Return the body for a Slack webhook. No text of others becomes a link, a mention, or formats anything."""
    return {
        "text": headline(summary),
        "attachments": [
            {
                "fallback": section.heading,
                "title": section.heading,
                "text": "\n".join(_slack_line(item, page_url) for item in section.items),
                "mrkdwn_in": [],
            }
            for section in sections(summary)
        ]
        + [{"fallback": page_url, "actions": [{"type": "button", "text": "Open the page", "url": page_url}]}],
    }


def _slack_line(item: Item, page_url: str) -> str:
    name = f"\u2068{_escaped(item.name, _TITLE_CHARACTERS_MAX)}\u2069" if item.url else _escaped(item.name)
    if item.url is not None:
        address = f"{page_url.rstrip('/')}/article?{urlencode({'url': item.url})}"
        if len(address) <= _URL_CHARACTERS_MAX:
            name = f"<{address}|{name.replace('|', '¦')}>"
    return f"• {': '.join(filter(None, (name, _escaped(item.said))))}"


def _escaped(text: str, characters_max: int = _TEXT_CHARACTERS_MAX) -> str:
    """Return one line of text, as Slack requires it."""
    line = _CONTROLS.sub(" ", _MARKS.sub("", text)).strip()
    line = line if len(line) <= characters_max else f"{line[: characters_max - 1]}…"
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _name(title: str | None, article: str) -> str:
    return title or article.removeprefix("https://")
