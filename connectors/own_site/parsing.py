"""Tells sitemaps from feeds, by what they begin with and not by what their server calls them."""

import re
from typing import Final

from flatline_connectors.fetching.bodies import gunzipped
from flatline_connectors.own_site.feeds import parse_feed
from flatline_connectors.own_site.listing import Listing
from flatline_connectors.own_site.sitemaps import ROOTS, parse_sitemap, parse_text_sitemap

# What the protocol allows a sitemap, unpacked.
BYTES_MAX: Final = 50 * 1024 * 1024
_GZIP: Final = b"\x1f\x8b"
_LOOKED_AT_BYTES: Final = 4_096
# The first tag that is neither a declaration nor a comment.
_ROOT: Final = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?([A-Za-z]\w*)[\s>/]")


def parse(body: bytes, url: str) -> Listing:
    """Read a sitemap or a feed that was found at ``url``. Raise `NoListing`, or `Failed` for broken archives."""
    if body.startswith(_GZIP):
        body = gunzipped(body, bytes_max=BYTES_MAX)
    beginning = body[:_LOOKED_AT_BYTES].replace(b"\0", b"")  # the NULs of UTF-16
    root = _ROOT.search(re.sub(rb"<!--.*?-->", b"", beginning, flags=re.DOTALL))
    if root is None:
        return parse_text_sitemap(body)
    if root[1].decode().lower() in ROOTS:
        return parse_sitemap(body, url)
    return parse_feed(body, url)
