"""Who may ask the API for what."""

import ipaddress
import re
from base64 import b64decode
from pathlib import Path
from typing import Final, Literal, NamedTuple, Protocol, Self

from aiohttp import web

from flatline.readmodel.queries.bounds import Bounds
from flatline.schema.limits import NAME_CHARACTERS_MAX
from flatline_connectors.ingest.answers import Refused
from flatline_connectors.ingest.auth import Sender, Tokens, TokensError

Scope = Literal["read", "write", "admin"]

_ORDER: Final[tuple[Scope, ...]] = ("read", "write", "admin")
_PROXY: Final = "proxy"
COOKIE: Final = "flatline_token"
BOUNDS: Final = web.RequestKey[Bounds | None]("bounds", Bounds)
"""Of a request that was checked: to what its sender is bound, even if the token is revoked meanwhile."""
_BOUND: Final = re.compile(r"(?P<kind>site|owner)/(?P<name>[^*]+)")
_PORT: Final = re.compile(r":[0-9]{1,5}$")


class Access(Protocol):
    """Says who may."""

    def check(self, request: web.Request, scope: Scope) -> Bounds | None:
        """Return to what the sender is bound; None: to nothing. Raise `Refused` unless it has this scope."""

    def name_of(self, request: web.Request) -> str | None:
        """Return who sends a request; None where nobody is told apart."""

    def reload(self) -> None:
        """Look again who may."""


class Loopback:
    """Anybody on this machine may read and write, without a token.

    A page of another site can have its own name lead to this machine, and would then read what we answer (DNS
    rebinding). So the request has to name this machine by a name that only this machine has. Nor may such a page, or
    one of another server on this machine, have a browser write: browsers say from where a request that writes comes.
    """

    def check(self, request: web.Request, scope: Scope) -> None:
        """Return None: who may at all is bound to nothing.

        Raise `Refused` unless the request names this machine and, if it writes, no page of others sent it.
        """
        if not is_loopback(_PORT.sub("", request.headers.get("Host", ""))):
            raise Refused(421, "wrong_host", "Without tokens, the API answers to localhost, 127.0.0.1 and [::1] alone.")
        if scope != "read" and not is_own_origin(request):
            raise Refused(403, "foreign_origin", "A page of another server sent this request.")

    def name_of(self, request: web.Request) -> str | None:  # noqa: ARG002
        """Return None: anybody may."""
        return None

    def reload(self) -> None:
        """Do nothing: who may stays the same."""


class ScopedTokens(Tokens):
    """The tokens of a file, a ``name:token`` a line, or ``name,write:token``. Each may read; admin may write, too.

    ``name,site/yours.example,owner/growth:token`` is bound to the articles of this site and of this owner. The token of
    ``name,proxy:token`` is the password with which a proxy names, by HTTP basic authentication, whom it logged in.
    """

    def check(self, request: web.Request, scope: Scope) -> Bounds | None:
        """Return to what the request's token is bound; None: to nothing. Raise `Refused` unless it has this scope."""
        # Nothing is written with a cookie alone: a page of another site could have it sent.
        sender = self._sender(request, may_use_cookie=scope == "read")
        if sender is None:
            raise Refused(401, "unauthorized", "Send `Authorization: Bearer <token>` with a token of the tokens file.")
        if not has_scope(sender, scope):
            raise Refused(403, "forbidden", f"The token has no scope {scope}.")
        # A browser sends the proxy's cookie with what a page of another site has it send.
        if scope != "read" and self.proxy_of(request) is not None and not is_own_origin(request):
            raise Refused(403, "foreign_origin", "A page of another server sent this request.")
        return _bounds(sender)

    def name_of(self, request: web.Request) -> str | None:
        """Return whom a proxy logged in, else the name of the token."""
        if self.proxy_of(request) is not None and (given := _Basic.of(request)) is not None:
            return given.name
        sender = self._sender(request, may_use_cookie=True)
        return None if sender is None else sender.source

    def proxy_of(self, request: web.Request) -> Sender | None:
        """Return the proxy that logged in who sends a request; None where none did."""
        given = _Basic.of(request)
        if given is None or not (0 < len(given.name) <= NAME_CHARACTERS_MAX and given.name.isprintable()):
            return None
        sender = self.sender_of(f"Bearer {given.password}")
        return sender if sender is not None and _PROXY in sender.others else None

    def may_write(self, token: str) -> bool:
        """Whether a token has the scope write."""
        sender = self.sender_of(f"Bearer {token}")
        return sender is not None and has_scope(sender, "write")

    def is_token(self, text: str) -> bool:
        """Whether a text is one of the tokens."""
        return self.sender_of(f"Bearer {text}") is not None

    def _sender(self, request: web.Request, *, may_use_cookie: bool) -> Sender | None:
        if (proxy := self.proxy_of(request)) is not None:
            return proxy
        authorization = request.headers.get("Authorization")
        if authorization is None and may_use_cookie and COOKIE in request.cookies:
            authorization = f"Bearer {request.cookies[COOKIE]}"  # of a browser that logged in
        return self.sender_of(authorization)

    def _parse(self, line: str, number: int) -> tuple[bytes, Sender]:
        token, sender = super()._parse(line, number)
        known = {*_ORDER, _PROXY}
        unknown = [other for other in sender.others if other not in known and not _BOUND.fullmatch(other)]
        if unknown:
            words = " or ".join(_ORDER)
            raise TokensError(
                f"{self.path} line {number}: {', '.join(sorted(unknown))} is no scope; {words} is.",
                remedy="Write a line `name:token` for who may read, and `name,write:token` for who may write, too. "
                "`site/yours.example` and `owner/growth` bind a token, and `proxy` is for a proxy that logs people in.",
            )
        return token, sender


class _Basic(NamedTuple):
    """A name and a password by HTTP basic authentication (RFC 7617)."""

    name: str
    password: str

    @classmethod
    def of(cls, request: web.Request) -> Self | None:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            name, _, password = b64decode(given, validate=True).decode().partition(":")
        except ValueError:
            return None
        return cls(name, password)


def access_of(tokens_file: Path | None) -> Access:
    """Return who may. Raises TokensError."""
    return Loopback() if tokens_file is None else ScopedTokens(tokens_file)


def has_scope(sender: Sender, scope: Scope) -> bool:
    """Whether a token has a scope, or one that includes it."""
    return _ORDER.index(scope) <= max((_ORDER.index(other) for other in _ORDER if other in sender.others), default=0)


def _bounds(sender: Sender) -> Bounds | None:
    said = [(found["kind"], found["name"]) for other in sender.others if (found := _BOUND.fullmatch(other))]
    if not said:
        return None
    sites = frozenset(name.lower() for kind, name in said if kind == "site")
    return Bounds(sites, frozenset(name for kind, name in said if kind == "owner"))


def is_own_origin(request: web.Request) -> bool:
    """Whether a request comes from a page of this server, or from no page at all."""
    origin = request.headers.get("Origin")
    # Not the scheme: a proxy may speak HTTPS for us.
    return origin is None or origin.partition("://")[2] == request.host


def is_loopback(host: str) -> bool:
    """Whether a host name or address, perhaps in brackets, is this machine's own for itself."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
