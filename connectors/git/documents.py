"""Files of a repository that become pages: Markdown, HTML and reStructuredText, with the links in them.

Libraries turn each format into HTML, so that code and comments hold no links and reference links are resolved.
"""

import re
import tomllib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from io import StringIO
from pathlib import PurePosixPath
from typing import Any, Final

import yaml
from docutils.core import publish_parts
from markdown_it import MarkdownIt
from markdown_it.rules_block import reference

from flatline_connectors.pages.dates import in_utc, instant_of
from flatline_connectors.pages.links import Links, one_line, read_html

FILE_BYTES_MAX: Final = 2 << 20
"""Larger files are not read."""
_MARKDOWN: Final = frozenset({".md", ".markdown", ".mdown", ".mkd"})
_HTML: Final = frozenset({".html", ".htm", ".xhtml"})
_REST: Final = frozenset({".rst", ".rest"})

_HOST: Final = re.compile(rb"//([A-Za-z0-9.:@_~%&;\\\x80-\xff-]+)")
_AFTER_HOST: Final = b".:;_~-"
# Slashes and hosts that a search would not see: escaped as in HTML, Markdown and reStructuredText.
_ESCAPED_SLASH: Final = re.compile(rb"\\/|&#|&sol;")
_ESCAPED: Final = re.compile(rb"[&\\%]")

# Front matter of static site generators: YAML or TOML between two lines, at the very beginning.
_YAML: Final = re.compile(r"\A---[ \t]*\n(?P<fields>.{0,65536}?)^---[ \t]*$", re.DOTALL | re.MULTILINE)
_TOML: Final = re.compile(r"\A\+\+\+[ \t]*\n(?P<fields>.{0,65536}?)^\+\+\+[ \t]*$", re.DOTALL | re.MULTILINE)

_markdown: Final = MarkdownIt("commonmark").enable(["table", "strikethrough"])
# CommonMark wants a blank line before a definition such as `[1]: https://…`. Older dialects, in which many files are
# written, take it anywhere, also right after a paragraph.
_markdown.block.ruler.at("reference", reference, {"alt": ["paragraph"]})
_REST_SETTINGS: Final[dict[str, Any]] = {
    # A foreign file must neither read files here nor fetch addresses; raw HTML is only looked at for links.
    "file_insertion_enabled": False,
    "raw_enabled": True,
    "_disable_config": True,
    "halt_level": 5,
    "report_level": 5,
    "syntax_highlight": "none",
    "embed_stylesheet": False,
    "stylesheet_path": None,
    "stylesheet": None,
    "math_output": "LaTeX",
    "traceback": True,
}


class UnreadableDocument(Exception):
    """The library for a format failed on a file."""


@dataclass(frozen=True)
class Document:
    """A page as a file describes it. ``published_at``: what its front matter says."""

    title: str = ""
    published_at: datetime | None = None
    links: Links = field(default_factory=dict)


def is_document(path: str) -> bool:
    """Whether the name of a file says that it has one of the formats."""
    return PurePosixPath(path).suffix.lower() in _MARKDOWN | _HTML | _REST


def may_link(body: bytes, is_wanted: Callable[[str], bool]) -> bool:
    """Whether a file may link to a wanted address that is written with ``//``. Far cheaper than reading the file."""
    if _ESCAPED_SLASH.search(body):
        return True
    for found in set(_HOST.findall(body)):
        host = found.rpartition(b"@")[2].rstrip(_AFTER_HOST)
        try:
            if _ESCAPED.search(host) or is_wanted(f"https://{host.decode()}/"):
                return True
        except UnicodeDecodeError:
            return True
    return False


def read_document(path: str, body: bytes, url: str, *, is_wanted: Callable[[str], bool]) -> Document:
    """Return what a file says, of a page at ``url``. A draft is no page, so it has no links.

    Raise `UnreadableDocument`.
    """
    text, fields = _without_front_matter(_text(body))
    if fields.get("draft") is True or fields.get("published") is False:
        return Document()
    try:
        page = read_html(_as_html(PurePosixPath(path).suffix.lower(), text), url, is_wanted=is_wanted)
    except Exception as error:  # a foreign text in foreign parsers
        raise UnreadableDocument(f"{type(error).__name__}: {error}") from error
    title = fields.get("title")
    return Document(one_line(title) if isinstance(title, str) else page.title, _instant(fields.get("date")), page.links)


def _as_html(suffix: str, text: str) -> str:
    if suffix in _MARKDOWN:
        return str(_markdown.render(text))
    if suffix in _REST:
        settings = _REST_SETTINGS | {"warning_stream": StringIO()}
        return str(publish_parts(text, writer="html5", settings_overrides=settings)["html_body"])
    return text


def _text(body: bytes) -> str:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = body.decode("cp1252", errors="replace")
    return text.replace("\r\n", "\n")


def _without_front_matter(text: str) -> tuple[str, dict[str, Any]]:
    """Return a text and the fields of its front matter; one whose beginning only looks like that has none."""
    fields: Any = None
    if found := _YAML.match(text):
        with suppress(Exception):  # a foreign text in a foreign parser: `!!bool x` is a KeyError
            fields = yaml.safe_load(found["fields"]) or {}
    elif found := _TOML.match(text):
        with suppress(tomllib.TOMLDecodeError, RecursionError):
            fields = tomllib.loads(found["fields"])
    return (text[found.end() :], fields) if found and isinstance(fields, dict) else (text, {})


def _instant(value: object) -> datetime | None:
    """Return a date of front matter, as YAML and TOML read it or as text; one without a zone is in UTC."""
    if isinstance(value, str):
        return instant_of(value)
    if isinstance(value, datetime):
        return in_utc(value)
    return datetime.combine(value, time(), UTC) if isinstance(value, date) else None
