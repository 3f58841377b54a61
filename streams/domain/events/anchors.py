"""What an anchor says of its link: natural, generic, or made for search engines; and its fingerprint."""

import re
from collections import Counter
from functools import lru_cache
from typing import Final

from xxhash import xxh3_64_intdigest

from flatline.domain.events import anchor_words as words
from flatline.domain.state import link, link_traits

CHARS_READ_MAX: Final = 200  # the rest of an anchor says nothing new
KEYWORDS_MAX: Final = 8
WORD_REPEATED: Final = 3
WORD_CHARS_MIN: Final = 4
PARTS_MIN: Final = 3
PHRASE_WORDS_MIN: Final = 3
_ANCHORS_REMEMBERED: Final = 65_536

_URL: Final = re.compile(r"(?:https?://|www\.)\S+|[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}(?:[/:?#]\S*)?", re.IGNORECASE)
_WORDS: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")  # noqa: RUF001 (the apostrophe as it is typeset)
_PLAIN_TEXT: Final = re.compile(r"[a-z ,;|•'’-]+", re.IGNORECASE)  # noqa: RUF001
_TITLE_PARTS: Final = re.compile(r"\s+[|–—:-]\s+|:\s+")  # noqa: RUF001 (dashes as they are typeset)
_PARTS: Final = re.compile(r"\s*[,;|•]\s*")
_COMMERCIAL: Final = re.compile("|".join(rf"\b(?:{phrase})\b" for phrase in words.COMMERCIAL))


@lru_cache(_ANCHORS_REMEMBERED)
def flags_and_traits_of(anchor: str) -> int:
    """Return the flag and, above `link.FLAG_BITS`, the traits of an anchor of at most CHARS_READ_MAX characters."""
    anchor = " ".join(anchor.split())
    name = _letters(anchor)
    if not name or _URL.fullmatch(anchor):
        return 0
    if name in words.GENERIC:
        return link.GENERIC_ANCHOR
    flags = link.STUFFED_ANCHOR if why_stuffed(anchor) else 0
    phrase = link_traits.PHRASE if _is_a_phrase(anchor) else 0
    return (fingerprint(anchor) | phrase) << link.FLAG_BITS | flags


def fingerprint(text: str) -> int:
    """Return 15 bits, never 0, of a text's letters and digits: the same for "Why we left" and "why-we-left"."""
    return xxh3_64_intdigest(_letters(text).encode()) & ~link_traits.PHRASE & link_traits.ANCHOR or 1


def natural(article_key: str, *names: str | None) -> frozenset[int]:
    """Return the fingerprints of what anybody may call an article: its site, its address, and names like its title."""
    host, *folders = article_key.removeprefix("https://").split("?")[0].rstrip("/").split("/")
    called = {host, *host.split("."), "".join(folders), "".join(folders[-2:]), *folders[-1:]}
    for name in names:
        if name:
            called |= {name, *_TITLE_PARTS.split(name)}
    return frozenset(fingerprint(each) for each in called)


def why_stuffed(anchor: str) -> str | None:
    """Say why an anchor is made for search engines rather than for readers; None where nothing speaks for it.

    Capitals say nothing: on real pages they are titles.
    """
    lower = anchor.lower()
    if _is_commercial(lower):
        return "uses a phrase of shops or link sellers"
    found = _WORDS.findall(lower)
    if not _PLAIN_TEXT.fullmatch(anchor) or not words.FUNCTION_WORDS.isdisjoint(found):
        return None  # code, a path, a title with figures, or a sentence
    if _repeats_a_word(found):
        return "repeats a keyword"
    if _is_a_list(lower) and anchor == lower:
        return "is a list of keywords"
    if len(found) > KEYWORDS_MAX and anchor == lower:
        return "is a run of keywords"
    return None


def _is_a_phrase(anchor: str) -> bool:
    """Whether it is no name and no title, which have capitals: the words that somebody wants to be found for."""
    return anchor.count(" ") >= PHRASE_WORDS_MIN - 1 and anchor == anchor.lower()


def _is_commercial(lower: str) -> bool:
    return _COMMERCIAL.search(lower) is not None


def _repeats_a_word(found: list[str]) -> bool:
    return any(count >= WORD_REPEATED for word, count in Counter(found).items() if len(word) >= WORD_CHARS_MIN)


def _is_a_list(lower: str) -> bool:
    """Whether it has several parts, one of them of several words: no list of names."""
    parts = _PARTS.split(lower)
    return len(parts) >= PARTS_MIN and any(" " in part for part in parts)


def _letters(text: str) -> str:
    return "".join(_WORDS.findall(text.lower())).replace("'", "")
