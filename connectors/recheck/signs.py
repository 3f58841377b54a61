"""By what pages are known that are not what was asked for: walls, domains for sale, error pages with status 200."""

import re
from typing import Final

from flatline_connectors.recheck.reading import PageSeen

SMALL_PAGE_BYTES: Final = 20_000
"""Larger pages are no walls: many embed a captcha for their comments."""
_THIN_WORDS: Final = 150
_PARKED_WORDS_MAX: Final = 300

_WALL: Final = re.compile(
    r"just a moment\.\.\.|just a moment…|attention required!|checking (?:your|the) browser|verify(?:ing)? (?:that )?"
    r"you are (?:a )?human|are you a (?:human|robot)|unusual traffic|access (?:to this page has been )?denied"
    r"|request (?:was )?blocked|aws-waf-token|awswafintegration|cf-challenge|cf_chl_|challenge-platform|px-captcha"
    r"|datadome|_incapsula_|distil_r_captcha|g-recaptcha|h-captcha|hcaptcha\.com|cf-turnstile|ddos protection by"
    r"|(?:log|sign) in to (?:continue|view|read)|subscribe to (?:continue|read)|subscribers? only",
    re.IGNORECASE,
)
_WALL_ADDRESS: Final = re.compile(
    r"^https://(?:consent|login|accounts?|auth|sso|id)\.|/(?:log-?in|sign-?in|sign-?up|register|consent|auth|sso|oauth2?"
    r"|captcha|challenge|subscribe|paywall|cdn-cgi|wp-login\.php)(?:[/?.]|$)",
    re.IGNORECASE,
)
_PARKED: Final = re.compile(
    r"(?:this )?domain(?: name)? (?:\S+ )?(?:is|may be|could be) (?:still )?(?:for sale|available for purchase|parked)"
    r"|buy this domain|domain (?:is )?for sale|this domain has expired|parkingcrew\.net|sedoparking\.com|bodis\.com"
    r"|above\.com/marketplace|hugedomains\.com|afternic\.com/forsale|dan\.com/buy-domain|parklogic\.com",
    re.IGNORECASE,
)
_NOT_FOUND: Final = re.compile(
    r"\b(?:page|post|article|story|content|file|site)?\s*(?:could |can(?:'t|not) be |was |is )?(?:not|no longer) "
    r"(?:be )?(?:found|available|exists?)\b|\b(?:doesn'?t|does not) exist\b|^(?:error )?404\b|\b404 (?:error|not found)"
    r"\b|nicht gefunden|introuvable|no encontrad[ao]|não encontrad[ao]|non trovat[ao]|niet gevonden|не найден",
    re.IGNORECASE,
)
_NUMBER_404: Final = re.compile(r"\b404\b")


def is_wall(html: str, page: PageSeen, *, size_bytes: int) -> bool:
    """Whether a small page asks for a proof, a login or money in place of what was asked for."""
    return size_bytes < SMALL_PAGE_BYTES and (_WALL.search(html) is not None or _WALL.search(page.title) is not None)


def leads_to_wall(canonical_url: str) -> bool:
    """Whether an address is one of a login, a consent or a challenge."""
    return _WALL_ADDRESS.search(canonical_url) is not None


def is_parked(html: str, page: PageSeen) -> bool:
    """Whether a page says that its domain is for sale, and little else."""
    return page.words < _PARKED_WORDS_MAX and _PARKED.search(html) is not None


def is_not_found(page: PageSeen) -> bool:
    """Whether a page says that there is no such page: in its title or heading, or with a 404 on a thin page."""
    if any(_NOT_FOUND.search(each) for each in (page.title, page.heading)):
        return True
    return page.words < _THIN_WORDS and _NUMBER_404.search(f"{page.title} {page.text}") is not None
