"""Passwords, tokens and client secrets in files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

PREFIX: Final = "FLATLINE_KAFKA_"


class CredentialError(OSError):
    """What we prove with who we are can't be had. The message names the setting, and holds no secret."""


class UnreadableFileError(CredentialError):
    """A file with a password, a token, a certificate or a key can't be used. The message names its setting."""


@dataclass(frozen=True, kw_only=True)
class SecretFile:
    """A file that holds a password or a token. It is read each time that a client connects, so it may change.

    It takes the place of a password in both clients' configuration: they ask a password for `encode` when they connect.
    """

    path: Path
    setting: str

    def read(self) -> str:
        """Return what the file holds, without white space around it. Raises UnreadableFileError."""
        try:
            secret = self.path.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise unreadable(self.setting, self.path, error) from None
        if not secret:
            raise UnreadableFileError(f"{self.setting}: {self.path} is empty")
        return secret

    def encode(self, encoding: str = "utf-8") -> bytes:
        """Return the secret as bytes. Raises UnreadableFileError."""
        return self.read().encode(encoding)

    def forget(self) -> None:
        """Do nothing: the file is read again in any case."""


def unreadable(setting: str, path: object, error: Exception) -> UnreadableFileError:
    """Return the error of a file that can't be used."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return UnreadableFileError(f"{setting}: {path} can't be used: {reason}")
