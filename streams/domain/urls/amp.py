"""Copies of pages for mobile devices (AMP): who serves them in a page's stead, and what marks them on its own site."""

import re
from typing import Final

CACHES: Final = ("cdn.ampproject.org", ".bing-amp.com")
"""What the hosts of caches end in."""

VIEWERS: Final = "google."
"""What the canonical hosts of viewers begin with."""

SUFFIXES: Final = (".amp", ".amp.htm", ".amp.html")
"""What the name of a copy ends in."""

# https://amp.dev/documentation/guides-and-tutorials/learn/amp-caches-and-cors/amp-cache-urls: `c` is a page, `v` a page
# for a viewer, and `s` says that its site speaks https.
_CACHE_PATH: Final = re.compile(r"/[cv]/(?:s/)?([^/]+\.[^/]+(?:/.*)?)").fullmatch
_VIEWER_PATH: Final = re.compile(r"/amp/(?:s/)?([^/]+\.[^/]+(?:/.*)?)").fullmatch
_CACHE: Final = re.compile(r"(?:[a-z0-9-]+\.)?cdn\.ampproject\.org|[a-z0-9-]+\.bing-amp\.com").fullmatch
_VIEWER: Final = re.compile(r"google\.(?:[a-z]{2,3}\.)?[a-z]{2,3}").fullmatch


def serves_copies(host: str) -> bool:
    """Whether copies of other sites' pages are at a canonical host."""
    return _VIEWER(host) is not None or _CACHE(host) is not None


def original(authority: str, path: str, search: str) -> str | None:
    """Return the URL of the page whose copy is at an address; None if that is no cache's and no viewer's."""
    found = (_VIEWER(authority) and _VIEWER_PATH(path)) or (_CACHE(authority) and _CACHE_PATH(path))
    return f"https://{found[1]}{search}" if found else None


def is_copy(name: str) -> bool:
    """Whether the last segment of a path names a copy: `story.amp.html`, but not `..amp`, whose rest is no name."""
    return name.endswith(SUFFIXES) and name.rpartition(".amp")[0].strip(".") != ""


def without_suffix(name: str) -> str:
    """Return the name of the page whose copy `is_copy`.

    >>> without_suffix("story.amp.html"), without_suffix("story.amp")
    ('story.html', 'story')
    """
    stem, _, suffix = name.rpartition(".amp")
    return stem + suffix
