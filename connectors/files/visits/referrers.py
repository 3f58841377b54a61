"""Referring domains, as visits name them: by page, by host, or by the app that somebody came from."""

from functools import lru_cache
from typing import Final

from flatline.domain.urls.canonical import InvalidUrl, canonicalize, referring_domain

_OF_APP: Final = {
    "com.facebook.katana": "facebook.com",
    "com.facebook.orca": "messenger.com",
    "com.google.android.gm": "mail.google.com",
    "com.google.android.googlequicksearchbox": "google.com",
    "com.instagram.android": "instagram.com",
    "com.linkedin.android": "linkedin.com",
    "com.pinterest": "pinterest.com",
    "com.reddit.frontpage": "reddit.com",
    "com.slack": "slack.com",
    "com.twitter.android": "x.com",
    "org.telegram.messenger": "telegram.org",
}
# Services whose links lead through a domain of their own.
_OF_SHORT_DOMAIN: Final = {"t.co": "x.com", "lnkd.in": "linkedin.com"}


@lru_cache(maxsize=65_536)
def domain_of_referrer(referrer: str) -> str | None:
    """Return the registrable domain of a referring page or host; None for what is neither.

    >>> domain_of_referrer("https://www.news.example/post"), domain_of_referrer("news.example/post")
    ('news.example', 'news.example')
    >>> domain_of_referrer("android-app://com.slack/"), domain_of_referrer("Direct / None")
    ('slack.com', None)
    """
    scheme, separator, rest = referrer.strip().partition("://")
    if separator and scheme.lower() == "android-app":
        return _OF_APP.get(rest.partition("/")[0].lower())
    address = referrer.strip() if separator else f"https://{referrer.strip()}"
    host = address.partition("://")[2].partition("/")[0]
    if "." not in host or " " in host:
        return None
    try:
        # Of the page no more is wanted than its host; what follows may hold anything.
        domain = referring_domain(canonicalize(f"{address.partition('://')[0]}://{host}/"))
    except InvalidUrl:
        return None
    return _OF_SHORT_DOMAIN.get(domain, domain)
