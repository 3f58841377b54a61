"""Whom an erasure is about, and whether a text mentions them, however it is spelled."""

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterator
from html import unescape
from typing import Final
from urllib.parse import unquote

from flatline.domain.urls.canonical import InvalidUrl, canonicalize
from flatline.errors import FlatlineError

_DECODINGS_MAX: Final = 3
"""How often an address may be escaped in another one that is escaped."""
_WORDS_LENGTH_MIN: Final = 2
_ADDRESS: Final = re.compile(r"[^\s\"'<>\\]+")
_END_OF_SENTENCE: Final = ".,;:!?)]}*_"


class SubjectError(FlatlineError):
    """It isn't clear whom to erase."""

    remedy = "Give one of --author NAME, --page URL and --domain DOMAIN."


class Subject(ABC):
    """A person's name, a page or a domain.

    ``needle``  lower-case ASCII that every plain spelling contains; empty where there is none
    """

    needle: bytes = b""

    def may_be_in(self, data: bytes) -> bool:
        """Whether bytes can mention it at all. This is cheap: most records are not looked at any further."""
        if not self.needle or not data.isascii() or b"\\u" in data or b"%" in data or b"&" in data:
            return True
        return self.needle in data.lower()

    def is_in(self, text: str) -> bool:
        """Whether a text mentions it: in any case, and as it is written in HTML and within an address, too."""
        return any(self._is_in(spelled) for spelled in _decoded(text))

    @abstractmethod
    def _is_in(self, text: str) -> bool:
        """Whether a text without escapes mentions it."""


class Author(Subject):
    """A name, with any white space between its words."""

    def __init__(self, name: str) -> None:
        words = _folded(name).split()
        if sum(map(len, words)) < _WORDS_LENGTH_MIN:
            raise SubjectError(f"{name!r} is no name: half of all texts contain it.")
        self._pattern = re.compile(r"(?<!\w)" + r"\s+".join(map(re.escape, words)) + r"(?!\w)")
        self.needle = max((word.encode() for word in words if word.isascii()), key=len, default=b"")

    def _is_in(self, text: str) -> bool:
        return self._pattern.search(_folded(text)) is not None


class Domain(Subject):
    """A host name with all below it."""

    def __init__(self, domain: str) -> None:
        try:
            host = canonicalize(f"https://{domain.strip()}/").split("/")[2]
        except InvalidUrl as error:
            raise SubjectError(f"{domain!r} is no domain: {error}.") from None
        if host.partition(":")[0] != host or "/" in domain.strip():
            raise SubjectError(f"{domain!r} is no domain, such as elsewhere.example.")
        self.host = host
        spellings = {host, _unicode(host)}
        self._pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, sorted(spellings)))})(?![\w-]|\.\w)")
        self.needle = host.encode() if len(spellings) == 1 else b""

    def _is_in(self, text: str) -> bool:
        return self._pattern.search(_folded(text)) is not None


class Page(Subject):
    """One page, by any spelling of its address."""

    def __init__(self, url: str) -> None:
        try:
            self.url = canonicalize(url)
        except InvalidUrl as error:
            raise SubjectError(f"{url!r} is no address: {error}.") from None
        host = self.url.split("/")[2].partition(":")[0]
        # Of two spellings of a host, text has either.
        spellings = {host, _unicode(host)}
        self._host = re.compile("|".join(map(re.escape, sorted(spellings))))
        self.needle = host.encode() if len(spellings) == 1 else b""

    def _is_in(self, text: str) -> bool:
        return self._host.search(_folded(text)) is not None and any(
            self._is(address) for token in _ADDRESS.findall(text) for address in _addresses(token)
        )

    def _is(self, address: str) -> bool:
        try:
            return canonicalize(address) == self.url
        except InvalidUrl:
            return False


def subject_of(*, author: str | None = None, page: str | None = None, domain: str | None = None) -> Subject:
    """Return the one that is given. Raises SubjectError."""
    if sum(given is not None for given in (author, page, domain)) != 1:
        raise SubjectError("Whom to erase must be given once.")
    if author is not None:
        return Author(author)
    return Page(page) if page is not None else Domain(domain or "")


def _addresses(token: str) -> Iterator[str]:
    """Yield what in a word of a text may be an address: with or without its scheme, and the end of the sentence."""
    beginnings = [match.start() for match in re.finditer(r"https?://", token, re.IGNORECASE)]
    for begin in beginnings or [len(token) - len(token.lstrip("([{*_")) or 0]:
        address = token[begin:] if beginnings else f"https://{token[begin:]}"
        while address:
            yield address
            if address[-1] not in _END_OF_SENTENCE:
                break
            address = address[:-1]


def _decoded(text: str) -> Iterator[str]:
    yield text
    if "&" in text and (plain := unescape(text)) != text:
        yield plain
    for _ in range(_DECODINGS_MAX):
        if "%" not in text or (plain := unquote(text)) == text:
            return
        text = plain
        yield text


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _unicode(host: str) -> str:
    try:
        return _folded(host.encode().decode("idna"))
    except UnicodeError:
        return host
