"""Registrable domains on which very many authors publish."""

from typing import Final

from flatline.domain.urls.fingerprints import fingerprint

_MANY_AUTHORS: Final = """
    github.com gitlab.com wikipedia.org wikimedia.org medium.com reddit.com stackoverflow.com stackexchange.com
    ycombinator.com dev.to substack.com youtube.com linkedin.com twitter.com x.com facebook.com quora.com
    hashnode.dev lobste.rs tumblr.com google.com notion.site zhihu.com csdn.net juejin.cn qiita.com habr.com
"""
MANY_AUTHORS: Final = frozenset(fingerprint(domain) for domain in _MANY_AUTHORS.split())
"""Fingerprints of registrable domains of very many authors: many links from one of them are no repetition."""
