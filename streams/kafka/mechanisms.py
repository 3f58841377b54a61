"""Both client libraries, taught to get passwords and tokens when they connect: files change, and tokens expire.

They ask a password for its `encode` where they do SCRAM, so that needs nothing. For PLAIN they join it to a string. And
aiokafka takes any answer to a token for a yes.
"""

import asyncio
from typing import Any

from aiokafka import conn
from aiokafka.abc import AbstractTokenProvider as AsyncTokenProvider
from kafka.net.sasl import register_sasl_mechanism
from kafka.net.sasl.oauth import AbstractTokenProvider
from kafka.net.sasl.plain import SaslMechanismPlain

from flatline.kafka.secret_file import SecretFile
from flatline.kafka.token_endpoint import TokenEndpoint


class PlainFromFile(SaslMechanismPlain):  # type: ignore[misc]
    """PLAIN for kafka-python."""

    def __init__(self, **config: Any) -> None:
        super().__init__(**config | {"sasl_plain_password": _read(config["sasl_plain_password"])})


class AsyncPlainFromFile(conn.SaslPlainAuthenticator):  # type: ignore[misc]
    """PLAIN for aiokafka."""

    def __init__(self, *, sasl_plain_password: SecretFile | str, **rest: Any) -> None:
        super().__init__(sasl_plain_password=_read(sasl_plain_password), **rest)


class NewestToken(AbstractTokenProvider):  # type: ignore[misc]
    """OAUTHBEARER for kafka-python."""

    def __init__(self, source: SecretFile | TokenEndpoint) -> None:
        super().__init__()
        self._source = source

    def token(self) -> str:
        """Return the token that holds now. Raises CredentialError."""
        return self._source.read()


class AsyncNewestToken(AsyncTokenProvider):  # type: ignore[misc]
    """OAUTHBEARER for aiokafka."""

    def __init__(self, source: SecretFile | TokenEndpoint) -> None:
        self._source = source

    async def token(self) -> str:
        """Return the token that holds now. Raises CredentialError."""
        return await asyncio.to_thread(self._source.read)

    def refused(self) -> None:
        """Take it that the token is of no use."""
        self._source.forget()


class AsyncOAuth(conn.OAuthAuthenticator):  # type: ignore[misc]
    """OAUTHBEARER for aiokafka: it hears it when the token is refused."""

    async def step(self, payload: bytes | None) -> tuple[bytes, bool] | None:
        """Return what to send next, and whether to wait for an answer; None where we are let in."""
        if payload:
            self._sasl_oauth_token_provider.refused()
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
