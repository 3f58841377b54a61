"""Tokens for OAUTHBEARER from an identity provider, by the client-credentials grant (RFC 6749, section 4.4)."""

import base64
import json
import logging
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

from flatline.kafka.secret_file import PREFIX, CredentialError, SecretFile, unreadable

log = logging.getLogger("flatline.kafka")

_ANSWER_S: Final = 10.0
_ANSWER_BYTES_MAX: Final = 1_000_000
_LIFE_USED: Final = 0.8
"""After this share of its life a token is replaced, as Kafka's own clients do it."""


class NoTokenError(CredentialError):
    """The identity provider gives no token. The message names the settings, and holds no secret."""


@dataclass(frozen=True, kw_only=True)
class TokenEndpoint:
    """Where tokens are requested, and as which client. ``ca_file`` has authorities beside those of the system."""

    url: str
    client_id: str
    secret: SecretFile
    scope: str | None = None
    ca_file: Path | None = None

    def read(self) -> str:
        """Return a token that has at least a fifth of its life before it. Raises CredentialError."""
        return _tokens_of(self).read()

    def forget(self) -> None:
        """Request a new token next time: Kafka has refused this one."""
        _tokens_of(self).forget()

    def request(self) -> tuple[str, float]:
        """Return a new token, and how many seconds it lives; 0 where that is not said. Raises CredentialError."""
        # Both are encoded before they are joined (RFC 6749, section 2.3.1).
        user = f"{quote_plus(self.client_id)}:{quote_plus(self.secret.read())}"
        form = {"grant_type": "client_credentials"} | ({"scope": self.scope} if self.scope else {})
        request = urllib.request.Request(  # noqa: S310 - the setting allows https and loopback alone
            self.url,
            urlencode(form).encode(),
            {
                "Authorization": f"Basic {base64.b64encode(user.encode()).decode()}",
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
            },
        )
        opener = self._opener()
        try:
            with opener.open(request, timeout=_ANSWER_S) as answer:
                body = answer.read(_ANSWER_BYTES_MAX)
        except urllib.error.HTTPError as error:
            with error:
                raise self._refused(error.code, error.read(_ANSWER_BYTES_MAX)) from None
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise NoTokenError(f"{PREFIX}SASL_TOKEN_URL: {self.url} can't be reached: {reason}") from None
        return self._token_in(body)

    def _opener(self) -> urllib.request.OpenerDirector:
        try:
            context = ssl.create_default_context()
            if self.ca_file is not None:
                context.load_verify_locations(self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise unreadable(f"{PREFIX}SSL_CA_FILE", self.ca_file, error) from None
        return urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), _NoRedirects())

    def _token_in(self, body: bytes) -> tuple[str, float]:
        try:
            said: Any = json.loads(body)
            token, lives_s = str(said["access_token"]), float(said.get("expires_in", 0))
        except (ValueError, TypeError, KeyError, AttributeError):
            token, lives_s = "", 0.0
        # Anything else would end the message in which it is sent to Kafka.
        if not (token and token.isascii() and token.isprintable()):
            raise NoTokenError(f"{PREFIX}SASL_TOKEN_URL: {self.url} answers without a token: is it the token endpoint?")
        return token, lives_s

    def _refused(self, status: int, body: bytes) -> NoTokenError:
        try:
            said = json.loads(body)
            why = f"{status}, {said['error']}"
        except (ValueError, TypeError, KeyError):
            why = str(status)
        if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            settings = f"{PREFIX}SASL_CLIENT_ID, {PREFIX}SASL_CLIENT_SECRET_FILE and {PREFIX}SASL_TOKEN_SCOPE"
            return NoTokenError(f"{self.url} gives the client {self.client_id} no token ({why}): see {settings}.")
        return NoTokenError(f"{PREFIX}SASL_TOKEN_URL: {self.url} gives no token ({why}).")


class Tokens:
    """The newest token of an endpoint. All connections use it, and it is replaced before it expires.

    ``now_s`` is a clock that never goes back.
    """

    def __init__(
        self, request: Callable[[], tuple[str, float]], *, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._request = request
        self._now_s = now_s
        self._lock = threading.Lock()
        self._token = ""
        self._replace_at_s = self._expires_at_s = float("-inf")

    def read(self) -> str:
        """Return a token: a new one if the newest has used most of its life. Raises CredentialError.

        Where none can be had, the newest one is returned until it expires.
        """
        with self._lock:
            asked_s = self._now_s()
            if asked_s < self._replace_at_s:
                return self._token
            try:
                self._token, lives_s = self._request()
            except CredentialError as error:
                if asked_s >= self._expires_at_s:
                    raise
                log.warning("%s The token in use goes on until it expires.", error)
            else:
                self._replace_at_s, self._expires_at_s = asked_s + _LIFE_USED * lives_s, asked_s + lives_s
            return self._token

    def forget(self) -> None:
        """Request a new token next time: Kafka has refused this one."""
        self._replace_at_s = self._expires_at_s = float("-inf")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """The secret goes to the configured address alone."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none."""


@cache
def _tokens_of(endpoint: TokenEndpoint) -> Tokens:
    return Tokens(endpoint.request)
