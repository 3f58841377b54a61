"""Platforms that give each blog or newsletter a subdomain, and are in no public suffix list."""

from typing import Final

_PLATFORMS: Final = """
    substack.com beehiiv.com tumblr.com medium.com livejournal.com dreamwidth.org posthaven.com svbtle.com bearblog.dev
    mataroa.blog prose.sh write.as micro.blog over-blog.com canalblog.com typepad.com ghost.io hashnode.dev
    wordpress.com weebly.com squarespace.com webnode.com jimdofree.com blog.jp super.site
"""
BLOG_PLATFORMS: Final = frozenset(_PLATFORMS.split())
"""Domains whose subdomains have different owners."""
