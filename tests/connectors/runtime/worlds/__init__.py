"""A world for each kind of connector, by its name. Every kind in the registry must have one."""

from collections.abc import Callable
from pathlib import Path

from tests.connectors.runtime.contract import World
from tests.connectors.runtime.worlds.ahrefs import AhrefsWorld
from tests.connectors.runtime.worlds.bing import BingWorld
from tests.connectors.runtime.worlds.bluesky import BlueskyWorld
from tests.connectors.runtime.worlds.common_crawl import CommonCrawlWorld
from tests.connectors.runtime.worlds.dataforseo import DataForSeoWorld
from tests.connectors.runtime.worlds.doi_events import CrossrefWorld, DataciteWorld
from tests.connectors.runtime.worlds.feeds import FeedsWorld
from tests.connectors.runtime.worlds.folder import FolderWorld
from tests.connectors.runtime.worlds.git import GitWorld
from tests.connectors.runtime.worlds.hacker_news import HackerNewsWorld
from tests.connectors.runtime.worlds.majestic import MajesticWorld
from tests.connectors.runtime.worlds.moz import MozWorld
from tests.connectors.runtime.worlds.own_site import OwnSiteWorld
from tests.connectors.runtime.worlds.recheck import RecheckWorld
from tests.connectors.runtime.worlds.semrush import SemrushWorld
from tests.connectors.runtime.worlds.webmention_io import WebmentionIoWorld
from tests.connectors.runtime.worlds.wikimedia import WikimediaWorld

WORLDS: dict[str, Callable[[Path], World]] = {
    "folder": FolderWorld,
    "git": GitWorld,
    "feeds": FeedsWorld,
    "webmention-io": WebmentionIoWorld,
    "hacker-news": HackerNewsWorld,
    "wikimedia": WikimediaWorld,
    "bluesky": BlueskyWorld,
    "crossref": CrossrefWorld,
    "datacite": DataciteWorld,
    "own-site": OwnSiteWorld,
    "common-crawl": CommonCrawlWorld,
    "ahrefs": AhrefsWorld,
    "semrush": SemrushWorld,
    "moz": MozWorld,
    "dataforseo": DataForSeoWorld,
    "majestic": MajesticWorld,
    "bing": BingWorld,
    "recheck": RecheckWorld,
}
