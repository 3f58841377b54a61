"""The runbook as a page: alerts lead to its headings."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token


@cache
def runbook_html() -> str:
    """Return the runbook's HTML. Each heading has the anchor that it has on GitHub."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse((files("flatline_deploy") / "RUNBOOK.md").read_text(encoding="utf-8"))
    for opening, text in pairwise(tokens):
        if opening.type == "heading_open":
            opening.attrSet("id", anchor(text.content))
        if opening.children:
            opening.children = list(_without_links_to_files(opening.children))
    # What scrolls is reached by keyboard.
    html: str = parser.renderer.render(tokens, parser.options, {})
    return html.replace("<pre>", '<pre tabindex="0">')


def _without_links_to_files(tokens: Sequence[Token]) -> Iterator[Token]:
    """Yield the parts of a text; of a link to another file of the project, which isn't served, its words alone."""
    is_left_out = False
    for token in tokens:
        if token.type == "link_open":
            is_left_out = not str(token.attrGet("href")).startswith(("#", "http://", "https://"))
        if token.type not in ("link_open", "link_close") or not is_left_out:
            yield token


def anchor(heading: str) -> str:
    """Return a heading's anchor: "More than one worker" has ``more-than-one-worker``."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
