"""The one canonical form of a URL: the article key and both halves of a link's identity. The rules: URLS.md."""

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from string import ascii_letters, digits
from unicodedata import is_normalized, normalize
from urllib.parse import quote, unquote

import can_ada
import xxhash
from publicsuffixlist import PublicSuffixList

from flatline.domain.urls import amp
from flatline.domain.urls.blog_platforms import BLOG_PLATFORMS
from flatline.domain.urls.tracking_parameters import is_tracking
from flatline.schema.rejection import Reason, Rejected

MAX_LENGTH = 4096
"""Characters of a URL, as it comes and in canonical form."""

SLUG_LENGTH_MAX = 200
"""Characters of a metric's label that names a page."""

_INDEX_SUFFIXES = "asp aspx cfm cgi htm html jsp jspx php php3 php4 php5 phtml pl shtm shtml xhtml"
_DEFAULT_SUFFIXES = "asp aspx cfm htm html jsp php"
INDEX_FILES = frozenset(
    {f"index.{suffix}" for suffix in _INDEX_SUFFIXES.split()}
    | {f"default.{suffix}" for suffix in _DEFAULT_SUFFIXES.split()}
)
"""What servers answer with when a folder is asked for; lower case."""

_MAX_HOST_LENGTH = 253  # RFC 1035 §2.3.4; it bounds the caches' memory, too
_CACHED_HOSTS = 131_072

_HOST = re.compile(r"(?:[a-z0-9_-]{1,63}\.)*+[a-z0-9_-]{1,63}|\[[0-9a-f:]+\]")
_PORT = re.compile(r":[0-9]+$")

# What a slug begins with, and no absolute URL does: a host, perhaps with a port, and a slash.
_SLUG = re.compile(r"\s*(?:[^\s/:@?#\\\[\]]+|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?/")
_CUT_END = re.compile(r"~[0-9a-f]{16}$")

# Escapes that are not yet normal: lower-case digits, or an unreserved character (RFC 3986 §2.3). Only these, because
# titles in other scripts are all escapes. Half an escape before one ("%", "%4") leaves both alone: decoding would
# complete it.
_ESCAPE_TO_NORMALIZE = re.compile(
    r"%(?:[a-f][0-9A-Fa-f]|[0-9A-F][a-f]|2[DE]|3[0-9]|[46][1-9A-F]|[57][0-9A]|5F|7E)(?<!%%..)(?<!%[0-9A-Fa-f]%..)"
)
_UNRESERVED = frozenset(ascii_letters + digits + "-._~")

# The first bytes of all characters that NFC may change or put into another order: most text needs no closer look.
_MAY_COMPOSE = re.compile(r"%(?:C[C-E]|D[26-9A-F]|E[0-3A]|EF|F0)")
# Escaped text that is not ASCII, with the letter before it, which an accent may belong to.
_FOREIGN = re.compile(r"(?:(?<!%)(?<!%[0-9A-Fa-f])[A-Za-z])?(?:%[89A-F][0-9A-F])+")

# Sessions of servers that use no cookies: Java's at the end of a segment, and ASP.NET's as a segment of its own.
_SESSION_OF_JAVA = re.compile(r"(?<!/\.)(?<!/\.\.)(?:;|%3B)(?i:jsessionid)=[^/;]*")
_SESSION_OF_ASP_NET = re.compile(r"/\((?:[A-Z]\([A-Za-z0-9_-]+\))*S\([a-z0-9]{24}\)\)(?=/|$)")

# "&" as HTML writes it, left in an address that was copied from a page's source.
_ENTITY = re.compile(r"(?:amp(?:;|%3B))+", re.IGNORECASE)

# The shape of most URLs that are canonical already: if the host is, there is nothing in them that the parser or the
# rules would change.
# The first group is a host that surely is canonical, and its own registrable domain or itself a suffix: a name of two
# labels, none of them Punycode or a number. Any other host is in the second group.
PLAIN = re.compile(
    r"https://(?:((?!www\.|google\.)(?=[^/]{1,63}/)[a-z0-9]+(?:-[a-z0-9]+)*\.[a-z]+)|([a-z0-9.-]+))"
    r"(?:(?:/(?!(?i:index|default)\.|amp$|\()[A-Za-z0-9_~!$&'()*+,=:@-][A-Za-z0-9._~!$&'()*+,=:@-]*)+"
    r"(?<!\.amp)(?<!\.amp\.htm)(?<!\.amp\.html)|/)"
).fullmatch


class InvalidUrl(ValueError):
    """The text is no http(s) URL with a host. The message is one of four short reasons and quotes nothing."""


def canonicalize(url: str) -> str:
    """Return the canonical form of an absolute http(s) URL: ASCII, ``https://host[:port]/…``, at most MAX_LENGTH.

    ``canonicalize(canonicalize(url)) == canonicalize(url)``. It names the page; the address to fetch is the URL as it
    came. Raise InvalidUrl, and nothing else, for any other text.
    """
    if len(url) > MAX_LENGTH:
        raise InvalidUrl("longer than 4,096 characters")
    plain = PLAIN(url)
    return url if plain and (plain[1] or is_canonical_host(plain[2])) else _canonicalize(url)


def _canonicalize(url: str) -> str:
    try:
        parsed = can_ada.parse(url)
    except (ValueError, TypeError):  # TypeError: lone surrogates
        raise InvalidUrl("not an absolute URL") from None
    if parsed.protocol not in {"https:", "http:"}:
        raise InvalidUrl("neither http nor https")
    authority = _canonical_host(parsed.hostname)
    if parsed.port not in {"", "80", "443"}:
        authority = f"{authority}:{parsed.port}"
    path = _with_normalized_escapes(parsed.pathname)
    if ";" in path or "/(" in path or "%3B" in path:
        # Java's first: it may stand at the end of ASP.NET's segment.
        path = _SESSION_OF_ASP_NET.sub("", _SESSION_OF_JAVA.sub("", path))
    path = _without_index_file(path)
    search = parsed.search
    if search:
        search = _without_tracking(_with_normalized_escapes(search))
    if authority.endswith(amp.CACHES) or authority.startswith(amp.VIEWERS):
        original = amp.original(authority, path, search)
        try:
            if original:
                return _canonicalize(original)
        except InvalidUrl:
            pass  # it only looks like a copy
    canonical = f"https://{authority}{path or '/'}{search}"
    # Escapes lengthen the text, and the canonical form must itself be a valid URL.
    if len(canonical) > MAX_LENGTH:
        raise InvalidUrl("longer than 4,096 characters")
    return canonical


def referring_domain(canonical_url: str) -> str:
    """Return the registrable domain of a canonical URL: one label below a public suffix, private suffixes included.

    So two users of github.io are two domains. It is the host itself where there is no such domain: for IP addresses,
    single labels and public suffixes.
    """
    return _registrable_domain(canonical_url.split("/", 3)[2])


def without_parameters(canonical_url: str, ignored: Iterable[str]) -> str:
    """Return a canonical URL without the query parameters of these names, in any case; ``name*``: that begin so.

    >>> without_parameters("https://a.example/p?id=3&Promo=x&ab_2=y", ["promo", "ab_*"])
    'https://a.example/p?id=3'
    """
    page, mark, search = canonical_url.partition("?")
    if not mark:
        return canonical_url
    lower = [name.lower() for name in ignored]
    names = {name for name in lower if not name.endswith("*")}
    prefixes = tuple(name[:-1] for name in lower if name.endswith("*"))

    def is_ignored(parameter: str) -> bool:
        name = parameter.partition("=")[0].lower()
        return name in names or name.startswith(prefixes)

    kept = [parameter for parameter in search.split("&") if not is_ignored(parameter)]
    return f"{page}?{'&'.join(kept)}" if kept else page


def canonicalize_field(url: str, *, field: str) -> str:
    """Return the canonical form of the URL in a record's field; raise `Rejected`, naming the field."""
    try:
        return canonicalize(url)
    except InvalidUrl as error:
        raise Rejected(Reason.INVALID_URL, f"{field}: {error}") from None


def article_key(url: str, *, field: str) -> bytes:
    """Return the key of the article at a URL; raise `Rejected`, naming the field."""
    return canonicalize_field(url, field=field).encode()


def absolute(address: str, *, field: str) -> str:
    """Return the URL that a person means by an address: itself, or that of a `slug`, as alerts show it.

    Raise `Rejected`, naming the field, for a slug that was cut: it is that of one page, but doesn't say which.
    """
    if not _SLUG.match(address):
        return address
    name = address.strip()
    if len(name) == SLUG_LENGTH_MAX and _CUT_END.search(name):
        raise Rejected(
            Reason.INVALID_URL,
            f"{field}: a label that was cut at {SLUG_LENGTH_MAX} characters, which is no address any more: give the "
            "whole one (`flatline articles list --json` lists all of them)",
        )
    return f"https://{name}"


def slug(canonical_url: str, max_length: int = SLUG_LENGTH_MAX) -> str:
    """Return the canonical URL without its scheme, cut to ``max_length`` (> 17) characters: a bounded metric label.

    One that is cut ends in ``~`` and the 16 hexadecimal digits of the whole's xxh64, the same for ever.
    """
    name = canonical_url.removeprefix("https://")
    return name if len(name) <= max_length else f"{name[: max_length - 17]}~{xxhash.xxh64_hexdigest(name.encode())}"


@cache
def _public_suffixes(*, only_icann: bool) -> PublicSuffixList:
    # Not at import: it takes 30 ms, and most commands read no URL.
    return PublicSuffixList(only_icann=only_icann)


@lru_cache(maxsize=_CACHED_HOSTS)
def _canonical_host(host: str) -> str:
    """Fold the trailing dot and ``www.`` of a host that the parser has put into lower case and Punycode."""
    host = host.removesuffix(".")
    if len(host) > _MAX_HOST_LENGTH or not _HOST.fullmatch(host):
        raise InvalidUrl("no valid host name")
    # ICANN's suffixes only: gov.uk is a registry, but freedesktop.org, which hosts its users, is www.freedesktop.org.
    is_public = _public_suffixes(only_icann=True).is_public
    while host.startswith("www.") and not is_public(host[4:]):
        host = host[4:]
    return host


@lru_cache(maxsize=_CACHED_HOSTS)
def is_canonical_host(host: str) -> bool:
    """Whether all plain URLs of a plain host are canonical.

    To the parser, 127.1 is an address, and a..b is no host; and at some hosts are copies of others' pages.
    """
    try:
        return not amp.serves_copies(host) and _canonicalize(f"https://{host}/") == f"https://{host}/"
    except InvalidUrl:
        return False


_further_blog_platforms: set[str] = set()


def set_further_blog_platforms(domains: Iterable[str]) -> None:
    """Have subdomains of these registrable domains count as domains of their own, as those of BLOG_PLATFORMS do.

    For the whole process, and before it reads the first URL: domains that were computed before stay as they are. Raise
    ValueError for a domain that is not registrable.
    """
    domains = list(domains)
    for domain in domains:
        if _public_suffixes(only_icann=False).privatesuffix(domain) != domain:
            raise ValueError(f"{domain} is no registrable domain, such as blogs.example")
    _further_blog_platforms.clear()
    _further_blog_platforms.update(domains)
    _registrable_domain.cache_clear()


@lru_cache(maxsize=_CACHED_HOSTS)
def _registrable_domain(authority: str) -> str:
    host = _PORT.sub("", authority)
    if host.rpartition(".")[2].isdecimal():  # an IPv4 address: no top-level domain is a number
        return host
    domain: str | None = _public_suffixes(only_icann=False).privatesuffix(host)
    if (domain in BLOG_PLATFORMS or domain in _further_blog_platforms) and host != domain:
        return f"{host.removesuffix(f'.{domain}').rpartition('.')[2]}.{domain}"
    return domain or host


def _with_normalized_escapes(text: str) -> str:
    """Normalise percent-encoding by RFC 3986 §6.2.2: unreserved characters bare, other escapes in upper case.

    What is escaped is in Unicode's form NFC. It makes no dot segments: to the parser, ``%2e`` is a dot already.
    """
    if "%" not in text:
        return text
    text = _ESCAPE_TO_NORMALIZE.sub(_normalized_escape, text)
    return _FOREIGN.sub(_composed, text) if _MAY_COMPOSE.search(text) else text


def _composed(escaped: re.Match[str]) -> str:
    try:
        text = unquote(escaped[0], errors="strict")
    except UnicodeDecodeError:
        return escaped[0]
    return escaped[0] if is_normalized("NFC", text) else quote(normalize("NFC", text), safe="")


def _normalized_escape(escape: re.Match[str]) -> str:
    character = chr(int(escape[0][1:], 16))
    return character if character in _UNRESERVED else escape[0].upper()


def _without_index_file(path: str) -> str:
    """Fold trailing slashes, index files and marks of AMP until none is left; the root becomes the empty text."""
    while True:
        path = path.rstrip("/")
        folder, _, last = path.rpartition("/")
        if last.lower() in INDEX_FILES or (last == "amp" and folder.strip("/")):
            path = folder
        elif ".amp" in last and amp.is_copy(last):
            path = f"{folder}/{amp.without_suffix(last)}"
        else:
            return path


def _without_tracking(search: str) -> str:
    """Drop tracking and empty parameters of ``?…``; the others keep their order and text."""
    parameters = search[1:].split("&")
    if "amp" in search.lower():
        parameters = [
            _ENTITY.sub("", parameter, count=1) if _ENTITY.match(parameter) else parameter for parameter in parameters
        ]
    kept = [parameter for parameter in parameters if parameter and not is_tracking(parameter)]
    return f"?{'&'.join(kept)}" if kept else ""
