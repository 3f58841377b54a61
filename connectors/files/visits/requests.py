"""Which requests in a web server's log are visits to a page by a person who followed a link."""

import re
from typing import Final

from flatline_connectors.files.exports.row import Skipped

_VISITS: Final = frozenset({200, 304})
"""Answers that show a page. 206 is a piece of a file, and 3xx leads to another line of the log."""

_BOT: Final = re.compile(r"bot|crawl|spider", re.IGNORECASE)
# fmt: off
_NO_PAGE: Final = frozenset({
    "7z", "aac", "apk", "atom", "avi", "avif", "bmp", "br", "class", "css", "csv", "dmg", "doc", "docx", "eot",
    "epub", "exe", "flac", "gif", "gz", "ico", "ics", "iso", "jpeg", "jpg", "js", "json", "jsonld", "m3u8",
    "m4a", "m4v", "map", "md5", "mjs", "mov", "mp3", "mp4", "mpeg", "mpg", "msi", "ogg", "ogv", "otf", "pdf",
    "png", "ppt", "pptx", "rar", "rdf", "rpm", "rss", "rtf", "svg", "svgz", "swf", "tar", "tgz", "tif", "tiff",
    "ttf", "txt", "wasm", "wav", "webm", "webmanifest", "webp", "wmv", "woff", "woff2", "xls", "xlsx", "xml",
    "xsl", "xz", "zip", "zst",
})
# fmt: on

NOT_GET: Final = Skipped("not GET")
NO_SUCCESS: Final = Skipped("answered with neither 200 nor 304")
NO_PAGE: Final = Skipped("not a page")
BOT: Final = Skipped("bots")
NO_REFERRER: Final = Skipped("without a referrer")


def why_no_visit(*, method: str, status: int, path: str, agent: str, referrer: str) -> Skipped | None:
    """Return why a request is no visit that a link brought; None for one that is."""
    if method != "GET":
        return NOT_GET
    if status not in _VISITS:
        return NO_SUCCESS
    name = path.partition("?")[0].rpartition("/")[2]
    if "." in name and name.rpartition(".")[2].lower() in _NO_PAGE:
        return NO_PAGE
    if agent in {"", "-"} or _BOT.search(agent):
        return BOT
    return NO_REFERRER if referrer in {"", "-"} else None
