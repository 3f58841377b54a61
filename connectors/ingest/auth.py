"""Bearer-token authentication. Each token is that of a source, and may be granted to write as others."""

import hmac
import logging
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from flatline_connectors.errors import ConnectorError

ANONYMOUS: Final = "anonymous"
TOKEN_CHARACTERS_MIN: Final = 16

_log = logging.getLogger(__name__)

# A source name (streams/schema/limits.py), others after commas, where `*` ends the beginning of a name, a colon, and a
# token as RFC 6750 §2.1 defines it.
_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._:/@+~-]{0,199}"
_LINE: Final = re.compile(rf"(?P<source>{_NAME})(?P<others>(?:,(?:{_NAME}\*?|\*))*):(?P<token>[A-Za-z0-9._~+/-]+=*)")


class TokensError(ConnectorError):
    """The tokens file can't be used. The message names the line, and never quotes it."""

    remedy = "Write a line `source:token` for each sender; `openssl rand -hex 32` makes a token."


@dataclass(frozen=True)
class Sender:
    """Who pushes: ``source`` is that of its events which name none.

    ``others``  further sources as which it may write; one that ends in ``*`` stands for all that begin so
    """

    source: str
    others: tuple[str, ...] = ()

    def may_write_as(self, source: str) -> bool:
        """Whether an event of ``source`` is taken from it."""
        return source == self.source or any(
            source.startswith(other[:-1]) if other.endswith("*") else source == other for other in self.others
        )

    @property
    def shown(self) -> str:
        """The sources as which it may write, for a person."""
        return ", ".join((self.source, *self.others))


class Authority(Protocol):
    """Tells senders by their requests."""

    def sender_of(self, authorization: str | None) -> Sender | None:
        """Return who sends this Authorization header, or None if it is nobody we know."""

    def reload(self) -> None:
        """Look again who may push."""


class Anyone:
    """No authority at all: everybody is the source `anonymous`, and may write as any."""

    def sender_of(self, authorization: str | None) -> Sender | None:  # noqa: ARG002
        """Return `anonymous`."""
        return Sender(ANONYMOUS, ("*",))

    def reload(self) -> None:
        """Do nothing: everyone still may."""


class Tokens:
    """The tokens of a file, a ``source:token`` a line; ``#`` begins a comment. It is read again when it changes.

    ``source,other,agency-*:token`` may also write as ``other`` and as all that begin with ``agency-``; ``*`` is any.
    """

    def __init__(self, path: Path) -> None:
        """Read the file. Raise `TokensError`."""
        self.path = path
        self._version = self._look()
        self._tokens = self._read()

    def sender_of(self, authorization: str | None) -> Sender | None:
        """Return whose token is in the header, or None."""
        self._reload_if_changed()
        scheme, _, given = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = given.strip().encode(errors="surrogateescape")
        # Against every one, so that the time taken says nothing.
        found = [sender for known, sender in self._tokens.items() if hmac.compare_digest(token, known)]
        return found[0] if found else None

    def reload(self) -> None:
        """Read the file again. If it can't be used, that is logged and the tokens stay as they were."""
        try:
            self._version = self._look()
            self._tokens = self._read()
        except TokensError as error:
            _log.error("%s The tokens stay as they were.", error)
        else:
            _log.info("%s was read: %d tokens", self.path, len(self._tokens))

    def _reload_if_changed(self) -> None:
        try:
            is_changed = self._look() != self._version
        except TokensError:
            is_changed = False  # gone for a moment, as while an editor saves it
        if is_changed:
            self.reload()

    def _look(self) -> tuple[int, int, int]:
        try:
            status = self.path.stat()
        except OSError as error:
            raise TokensError(f"{self.path} can't be read: {error.strerror}.") from None
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _read(self) -> dict[bytes, Sender]:
        try:
            text = self.path.read_text(encoding="ascii")
            is_open = self.path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH)
        except OSError as error:
            raise TokensError(f"{self.path} can't be read: {error.strerror}.") from None
        except UnicodeDecodeError:
            raise TokensError(f"{self.path} holds more than ASCII.") from None
        if is_open:
            _log.warning("%s can be read by others; `chmod 600` makes it yours alone.", self.path)
        tokens: dict[bytes, Sender] = {}
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip() and not line.lstrip().startswith("#"):
                token, sender = self._parse(line.strip(), number)
                if tokens.setdefault(token, sender) != sender:
                    raise TokensError(f"{self.path} line {number}: an earlier source has the same token.")
        if not tokens:
            raise TokensError(f"{self.path} holds no token.")
        return tokens

    def _parse(self, line: str, number: int) -> tuple[bytes, Sender]:
        match = _LINE.fullmatch(line)
        if match is None:
            raise TokensError(f"{self.path} line {number} is not `source:token` or `source,other,…:token`.")
        if len(match["token"]) < TOKEN_CHARACTERS_MIN:
            raise TokensError(
                f"{self.path} line {number}: a token needs {TOKEN_CHARACTERS_MIN} characters or more; "
                "`openssl rand -hex 32` makes one."
            )
        return match["token"].encode(), Sender(match["source"], tuple(match["others"].split(",")[1:]))
