"""The one canonical form of a URL: the article key and both halves of a link's identity. The rules: URLS.md."""

import re
from functools import cache, lru_cache
from string import ascii_letters, digits

import can_ada
import xxhash
from publicsuffixlist import PublicSuffixList

from flatline.domain.urls.tracking_parameters import TRACKING_PARAMETERS, TRACKING_PREFIXES
from flatline.schema.rejection import Reason, Rejected

MAX_LENGTH = 4096
"""Characters of a URL, as it comes and in canonical form."""

SLUG_LENGTH_MAX = 200
"""Characters of a metric's label that names a page."""

INDEX_FILES = frozenset(
    {f"index.{suffix}" for suffix in ("asp", "aspx", "htm", "html", "jsp", "php", "shtml", "xhtml")}
    | {f"default.{suffix}" for suffix in ("asp", "aspx", "htm", "html")}
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


# The shape of most URLs that are canonical already: if the host is, there is nothing in them that the parser or the
# rules would change.
# The first group is a host that surely is canonical, and its own registrable domain or itself a suffix: a name of two
# labels, none of them Punycode or a number. Any other host is in the second group.
PLAIN = re.compile(
    r"https://(?:((?!www\.)(?=[^/]{1,63}/)[a-z0-9]+(?:-[a-z0-9]+)*\.[a-z]+)|([a-z0-9.-]+))"
    r"(?:(?:/(?!(?i:index|default)\.)[A-Za-z0-9_~!$&'()*+,;=:@-][A-Za-z0-9._~!$&'()*+,;=:@-]*)+|/)"
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
    path = _without_index_file(_with_normalized_escapes(parsed.pathname))
    search = parsed.search
    if search:
        search = _without_tracking(_with_normalized_escapes(search))
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
    """Whether a plain host is canonical: to the parser, 127.1 is an address, and a..b is no host."""
    try:
        return _canonicalize(f"https://{host}/") == f"https://{host}/"
    except InvalidUrl:
        return False


@lru_cache(maxsize=_CACHED_HOSTS)
def _registrable_domain(authority: str) -> str:
    host = _PORT.sub("", authority)
    if host.rpartition(".")[2].isdecimal():  # an IPv4 address: no top-level domain is a number
        return host
    domain: str | None = _public_suffixes(only_icann=False).privatesuffix(host)
    return domain or host


def _with_normalized_escapes(text: str) -> str:
    """Normalise percent-encoding by RFC 3986 §6.2.2: unreserved characters bare, other escapes in upper case.

    It makes no dot segments: to the parser, ``%2e`` is a dot already.
    """
    return _ESCAPE_TO_NORMALIZE.sub(_normalized_escape, text) if "%" in text else text


def _normalized_escape(escape: re.Match[str]) -> str:
    character = chr(int(escape[0][1:], 16))
    return character if character in _UNRESERVED else escape[0].upper()


def _without_index_file(path: str) -> str:
    """Fold trailing slashes and index files until neither is left; the root becomes the empty text."""
    while True:
        path = path.rstrip("/")
        folder, _, last = path.rpartition("/")
        if last.lower() not in INDEX_FILES:
            return path
        path = folder


def _without_tracking(search: str) -> str:
    """Drop tracking and empty parameters of ``?…``; the others keep their order and text."""
    kept = [parameter for parameter in search[1:].split("&") if parameter and not _is_tracking(parameter)]
    return f"?{'&'.join(kept)}" if kept else ""


def _is_tracking(parameter: str) -> bool:
    name = parameter.partition("=")[0].lower()
    return name in TRACKING_PARAMETERS or name.startswith(TRACKING_PREFIXES)
