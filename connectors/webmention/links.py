"""Whether a page links to a target, exactly: what is compared are whole resolved addresses, never parts of them.

What looks like a link in a comment, in escaped HTML or in a script is none.
"""

import re
import warnings
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urljoin

import can_ada
import msgspec
from bs4 import BeautifulSoup, Tag

from flatline.schema.codec import JSON_ERRORS
from flatline_connectors.pages.links import resolved

HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
JSON: Final = frozenset(
    {"application/json", "application/ld+json", "application/mf2+json", "application/activity+json"}
)
TEXT: Final = frozenset({"text/plain", "text/markdown"})
ACCEPTED: Final = HTML | JSON | TEXT

# Where an address stands in an element that shows or links to what it names (HTML, 4.2 to 4.8).
_ATTRIBUTES: Final = {
    "a": ("href",),
    "area": ("href",),
    "img": ("src",),
    "video": ("src", "poster"),
    "audio": ("src",),
    "source": ("src",),
    "track": ("src",),
    "iframe": ("src",),
    "embed": ("src",),
    "object": ("data",),
    "blockquote": ("cite",),
    "q": ("cite",),
    "ins": ("cite",),
    "del": ("cite",),
}
_FLAG_OF_ELEMENT: Final = {"img": "image", "iframe": "frame", "embed": "frame", "object": "frame"}
_GONE: Final = re.compile(r"\s*410\b")
_WORD_OF_TEXT: Final = re.compile(r"https?://[^\s<>\"'`\\^{|}]+", re.IGNORECASE)
_AFTER_ADDRESS: Final = ".,;:!?)]*_"
_ANCHOR_CHARACTERS_MAX: Final = 500


@dataclass(frozen=True)
class FoundLink:
    """A link to the target. ``rel``: None where there is no such attribute by the kind of source."""

    anchor: str = ""
    rel: tuple[str, ...] | None = None
    flags: tuple[str, ...] = ()


class HtmlPage:
    """A page in HTML, parsed as browsers do it. Slow: a second for a page of a megabyte."""

    def __init__(self, body: bytes, *, url: str, charset: str | None) -> None:
        self.url = url
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what looks like no HTML to the parser
            self.soup = BeautifulSoup(body, "html5lib", from_encoding=charset)
        base = self.soup.find("base", href=True)
        self._base = urljoin(url, _attribute(base, "href")) if isinstance(base, Tag) else url

    @property
    def is_gone(self) -> bool:
        """Whether it says that it is deleted, as pages do whose server can't answer with 410."""
        return any(
            _attribute(meta, "http-equiv").strip().lower() == "status" and _GONE.match(_attribute(meta, "content"))
            for meta in self.soup.find_all("meta", attrs={"http-equiv": True, "content": True})
        )

    @property
    def language(self) -> str:
        """The language that it declares; empty if it declares none."""
        html = self.soup.find("html")
        return _attribute(html, "lang") if isinstance(html, Tag) else ""

    @property
    def canonical(self) -> str | None:
        """Its canonical address, if that is on the same host; else None."""
        link = self.soup.find("link", rel="canonical", href=True)
        address = resolved(_attribute(link, "href"), self._base) if isinstance(link, Tag) else None
        is_same_host = address is not None and can_ada.parse(address).hostname == can_ada.parse(self.url).hostname
        return address if is_same_host else None

    def link_to(self, target: str) -> FoundLink | None:
        """Return the link to a target, or None. Several are one: followed if one is, with the first text."""
        wanted, found = resolved(target, None), list[tuple[str, Tag]]()
        for element in self.soup.find_all(list(_ATTRIBUTES)):
            for name in _ATTRIBUTES[element.name]:
                value = _attribute(element, name)
                if value and resolved(value, self._base) == wanted:
                    found.append((element.name, element))
        anchors = [element for name, element in found if name in {"a", "area"}]
        if anchors:
            rels = [set(_attribute(element, "rel").lower().split()) for element in anchors]
            texts = (" ".join(element.get_text(" ", strip=True).split()) for element in anchors)
            anchor = next(filter(None, texts), "") or next(filter(None, map(_alternative, anchors)), "")
            return FoundLink(anchor[:_ANCHOR_CHARACTERS_MAX], tuple(sorted(set.intersection(*rels))))
        if not found:
            return None
        name, element = found[0]
        flag = _FLAG_OF_ELEMENT.get(name)
        return FoundLink(_attribute(element, "alt")[:_ANCHOR_CHARACTERS_MAX], None, (flag,) if flag else ())


def link_in_json(body: bytes, target: str) -> FoundLink | None:
    """Return whether a value in JSON is the target. Raise ValueError for what is no JSON."""
    try:
        left: list[Any] = [msgspec.json.decode(body)]
    except JSON_ERRORS as error:
        raise ValueError(f"no JSON: {error}") from None
    wanted = resolved(target, None)
    while left:
        match left.pop():
            case dict() as members:
                left += members.values()
            case list() as elements:
                left += elements
            case str() as text if resolved(text, None) == wanted:
                return FoundLink()
    return None


def link_in_text(body: bytes, target: str, *, charset: str | None) -> FoundLink | None:
    """Return whether the target is written in a text, as a whole address."""
    try:
        text = body.decode(charset or "utf-8", errors="replace")
    except LookupError:
        text = body.decode(errors="replace")
    wanted = resolved(target, None)
    for word in _WORD_OF_TEXT.findall(text):
        if wanted in {resolved(word, None), resolved(word.rstrip(_AFTER_ADDRESS), None)}:
            return FoundLink()
    return None


def _attribute(element: Tag | None, name: str) -> str:
    value = element.get(name) if element is not None else None
    return " ".join(value) if isinstance(value, list) else (value or "")


def _alternative(element: Tag) -> str:
    image = element.find("img", alt=True)
    return _attribute(image, "alt") if isinstance(image, Tag) else ""
