"""Both client libraries, taught to read passwords and tokens from their files when they connect.

They ask a password for its `encode` where they do SCRAM, so that needs nothing. For PLAIN they join it to a string. And
aiokafka takes any answer to a token for a yes.
"""

from typing import Any

from aiokafka import conn
from aiokafka.abc import AbstractTokenProvider as AsyncTokenProvider
from kafka.net.sasl import register_sasl_mechanism
from kafka.net.sasl.oauth import AbstractTokenProvider
from kafka.net.sasl.plain import SaslMechanismPlain

from flatline.kafka.security import SecretFile


class PlainFromFile(SaslMechanismPlain):  # type: ignore[misc]
    """PLAIN for kafka-python."""

    def __init__(self, **config: Any) -> None:
        super().__init__(**config | {"sasl_plain_password": _read(config["sasl_plain_password"])})


class AsyncPlainFromFile(conn.SaslPlainAuthenticator):  # type: ignore[misc]
    """PLAIN for aiokafka."""

    def __init__(self, *, sasl_plain_password: SecretFile | str, **rest: Any) -> None:
        super().__init__(sasl_plain_password=_read(sasl_plain_password), **rest)


class TokenFromFile(AbstractTokenProvider):  # type: ignore[misc]
    """OAUTHBEARER for kafka-python."""

    def __init__(self, file: SecretFile) -> None:
        super().__init__()
        self._file = file

    def token(self) -> str:
        """Return the token that is in the file now. Raises UnreadableFileError."""
        return self._file.read()


class AsyncTokenFromFile(AsyncTokenProvider):  # type: ignore[misc]
    """OAUTHBEARER for aiokafka."""

    def __init__(self, file: SecretFile) -> None:
        self._file = file

    async def token(self) -> str:
        """Return the token that is in the file now. Raises UnreadableFileError."""
        return self._file.read()


class AsyncOAuth(conn.OAuthAuthenticator):  # type: ignore[misc]
    """OAUTHBEARER for aiokafka: it hears it when the token is refused."""

    async def step(self, payload: bytes | None) -> tuple[bytes, bool] | None:
        """Return what to send next, and whether to wait for an answer; None where we are let in."""
        if payload:
            return b"\x01", True  # RFC 7628: the answer to a refusal, after which the server ends it
        answer: tuple[bytes, bool] | None = await super().step(payload)
        return answer


class NoneKept(dict[Any, Any]):
    """What a client of kafka-python remembers of servers that refused it: nothing.

    Once refused it would never try that server again, not even when the right password is in the file.
    """

    def __setitem__(self, _server: Any, _refusal: Any) -> None:
        """Forget it: the next attempt waits as after any other failure."""


def _read(password: SecretFile | str) -> str:
    return password.read() if isinstance(password, SecretFile) else password


# For every connection of this process: neither library has another way in.
register_sasl_mechanism("PLAIN", PlainFromFile, overwrite=True)
conn.SaslPlainAuthenticator = AsyncPlainFromFile
conn.OAuthAuthenticator = AsyncOAuth
