"""All kinds of connectors. A kind that is listed here can stand in connectors.toml, and takes the contract's tests."""

from typing import Any, Final

from flatline_connectors.ahrefs.connector import KIND as AHREFS
from flatline_connectors.bing.connector import KIND as BING
from flatline_connectors.bluesky.connector import KIND as BLUESKY
from flatline_connectors.common_crawl.connector import KIND as COMMON_CRAWL
from flatline_connectors.dataforseo.connector import KIND as DATAFORSEO
from flatline_connectors.doi_events.connector import CROSSREF, DATACITE
from flatline_connectors.feeds.connector import KIND as FEEDS
from flatline_connectors.folder.connector import KIND as FOLDER
from flatline_connectors.git.connector import KIND as GIT
from flatline_connectors.hacker_news.connector import KIND as HACKER_NEWS
from flatline_connectors.majestic.connector import KIND as MAJESTIC
from flatline_connectors.moz.connector import KIND as MOZ
from flatline_connectors.own_site.connector import KIND as OWN_SITE
from flatline_connectors.recheck.connector import KIND as RECHECK
from flatline_connectors.runtime.connector import ConnectorKind
from flatline_connectors.semrush.connector import KIND as SEMRUSH
from flatline_connectors.webmention_io.connector import KIND as WEBMENTION_IO
from flatline_connectors.wikimedia.connector import KIND as WIKIMEDIA

_ALL: Final[tuple[ConnectorKind[Any, Any], ...]] = (
    FOLDER,
    GIT,
    FEEDS,
    WEBMENTION_IO,
    HACKER_NEWS,
    WIKIMEDIA,
    BLUESKY,
    CROSSREF,
    DATACITE,
    OWN_SITE,
    COMMON_CRAWL,
    AHREFS,
    SEMRUSH,
    MOZ,
    DATAFORSEO,
    MAJESTIC,
    BING,
    RECHECK,
)
KINDS: Final = {kind.name: kind for kind in _ALL}
