"""Google Search Console: its lists name pages that link, but not the pages that they link to. They are rejected."""

from typing import Final

from flatline_connectors.files.exports.format import Format

_NO_TARGET: Final = (
    "it names pages that link to you, but not what they link to; these pages have to be fetched, "
    "which the import of files does not do"
)
_ONLY_TOTALS: Final = "it has totals, and no links; export Latest links instead"

FORMATS: Final = (
    Format("search-console-sites", "Search Console", ("Site", "Linking pages", "Target pages"), refusal=_ONLY_TOTALS),
    Format("search-console-sites-he", "Search Console", ("אתר", "דפים מקשרים", "דפי יעד"), refusal=_ONLY_TOTALS),
    Format("search-console-pages", "Search Console", ("Target page", "Incoming links"), refusal=_ONLY_TOTALS),
    Format("search-console-pages-he", "Search Console", ("דף יעד", "קישורים נכנסים"), refusal=_ONLY_TOTALS),
    Format("search-console-latest-links", "Search Console", (("Linking page", "דף מקשר"),), refusal=_NO_TARGET),
)
