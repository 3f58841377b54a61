"""Asks the API of a `flatline serve`, for commands."""

import http.client
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from flatline.errors import FlatlineError
from flatline.readmodel.queries.views import Page

T = TypeVar("T")

_TIMEOUT_S: Final = 60.0


class ApiError(FlatlineError):
    """The API is not there, or refuses what it was asked. The message says what it said."""

    remedy = "`flatline up` or `flatline serve` runs the API; FLATLINE_PAGE_URL is its address."


class _Refusal(msgspec.Struct):
    code: str
    message: str


class _Error(msgspec.Struct):
    error: _Refusal


class ApiClient:
    """The API at a URL. ``token_file``: a file with the token to send, and nothing else."""

    def __init__(self, url: str, *, token_file: Path | None = None) -> None:
        """Raise ApiError where the token can't be read."""
        parts = urlsplit(url)
        self._url, self._server, self._path = url, parts.netloc, parts.path.rstrip("/")
        self._is_secured = parts.scheme == "https"
        self._headers = {"Accept": "application/json"}
        if token_file is not None:
            try:
                self._headers["Authorization"] = f"Bearer {token_file.read_text(encoding='ascii').strip()}"
            except (OSError, UnicodeDecodeError) as error:
                raise ApiError(f"{token_file} can't be read: {error}", remedy="It holds one token.") from None

    def get(self, path: str, answer: type[T], query: Mapping[str, object] | None = None) -> T:
        """Return what is at a path below /api/v1. Of a list each is a parameter. Raises ApiError."""
        return self._ask("GET", with_parameters(path, query or {}), answer)

    def rows(self, path: str, row: type[T], query: Mapping[str, object]) -> Iterator[T]:
        """Yield all rows of a list, page by page. Raises ApiError."""
        cursor: str | None = None
        while True:
            page = self.get(path, Page[row], {**query, "cursor": cursor})  # type: ignore[valid-type] # of any type
            yield from page.rows
            cursor = page.next
            if cursor is None:
                return

    def post(self, path: str, answer: type[T], body: msgspec.Struct) -> T:
        """Send a body to a path below /api/v1, and return the answer. Raises ApiError."""
        return self._ask("POST", path, answer, msgspec.json.encode(body))

    def delete(self, path: str, answer: type[T]) -> T:
        """Delete what is at a path below /api/v1, and return the answer. Raises ApiError."""
        return self._ask("DELETE", path, answer)

    def _ask(self, method: str, path: str, answer: type[T], body: bytes | None = None) -> T:
        headers = self._headers | ({} if body is None else {"Content-Type": "application/json"})
        connection = self._connection()
        try:
            connection.request(method, f"{self._path}/api/v1{path}", body=body, headers=headers)
            response = connection.getresponse()
            status, said = response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise ApiError(f"The API at {self._url} does not answer: {error}") from None
        finally:
            connection.close()
        try:
            if status == http.client.OK:
                return msgspec.json.decode(said, type=answer)
            refusal = msgspec.json.decode(said, type=_Error).error
        except msgspec.DecodeError:
            raise ApiError(f"What answers at {self._url} is not the API (HTTP status {status}).") from None
        raise ApiError(f"The API at {self._url} refuses this: {refusal.message}", remedy=_remedy(status))

    def _connection(self) -> http.client.HTTPConnection:  # noqa: TID251 - ours
        if self._is_secured:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(self._server, timeout=_TIMEOUT_S, context=context)  # noqa: TID251 - ours
        return http.client.HTTPConnection(self._server, timeout=_TIMEOUT_S)  # noqa: TID251 - ours


def with_parameters(path: str, query: Mapping[str, object]) -> str:
    """Return a path with those parameters that are not None."""
    said = {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(said, doseq=True)}" if said else path


def segment(text: str) -> str:
    """Return a text as one segment of a path."""
    return quote(text, safe="")


def _remedy(status: int) -> str:
    remedies: dict[int, Any] = {
        401: "FLATLINE_API_TOKEN_FILE names a file with a token of FLATLINE_SERVE_TOKENS_FILE.",
        403: "A token that may write has a line `name,write:token` in FLATLINE_SERVE_TOKENS_FILE.",
        503: "Try again in a while.",
    }
    return str(remedies.get(status, "Correct what was asked for."))
