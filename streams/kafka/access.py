"""Whether a cluster lets us in, and if not, why: the clients themselves try again in silence until their time is up."""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import KafkaError as AsyncKafkaError
from aiokafka.errors import RequestTimedOutError, SaslAuthenticationFailed, UnsupportedSaslMechanismError
from kafka.errors import KafkaError

from flatline.errors import FlatlineError
from flatline.kafka.secret_file import PREFIX, CredentialError
from flatline.kafka.security import Security

_ANSWER_MS: Final = 10_000


class AccessError(FlatlineError, KafkaError, AsyncKafkaError):  # type: ignore[misc]
    """The cluster does not let us in, or is not the one that we trust."""

    remedy = f"How Kafka is reached, and as whom, is said by the settings {PREFIX}…: streams/SETTINGS.md explains them."

    __str__ = Exception.__str__


def refuse_no_access(bootstrap: str, security: Security, configuration: Callable[[], Mapping[str, Any]]) -> None:
    """Raise AccessError where servers answer and each of them refuses us, a file is of no use, or no token can be had.

    A server that can't be reached is none of that: it may be starting, and clients wait for it.
    """
    try:
        security.check_credentials()
    except CredentialError as error:
        raise AccessError(str(error)) from None
    # In a thread, as a loop may be running here.
    with ThreadPoolExecutor(max_workers=1) as thread:
        refusals = thread.submit(asyncio.run, _refusals(bootstrap, security, configuration)).result()
    if refusals:
        raise AccessError("\n".join(dict.fromkeys(refusals)))


async def _refusals(bootstrap: str, security: Security, configuration: Callable[[], Mapping[str, Any]]) -> list[str]:
    refusals = []
    for host, port, _ in collect_hosts(bootstrap, randomize=False):
        try:
            connection = await create_conn(host, port, request_timeout_ms=_ANSWER_MS, **configuration())
        except (OSError, AsyncKafkaError, ValueError, TimeoutError) as error:
            refusal = _refusal(error, security)
            if refusal is not None:
                refusals.append(f"Kafka at {host}:{port}: {refusal}")
        else:
            await connection.close()
            return []
    return refusals


def _refusal(error: BaseException, security: Security) -> str | None:  # noqa: PLR0911 - a table
    """Return what to tell a person of a connection that failed; None where nobody answered."""
    cause = error.__cause__
    match error:
        case ssl.SSLCertVerificationError():
            return (
                f"its certificate is not to be trusted ({error.verify_message}). {PREFIX}SSL_CA_FILE has to hold the "
                f"authority that signed it, and {PREFIX}BOOTSTRAP the host name that it is for."
            )
        case ssl.SSLError() if "ALERT" in (error.reason or ""):
            return (
                f"it does not accept our certificate ({_words(error)}): "
                f"see {PREFIX}SSL_CERTIFICATE_FILE and {PREFIX}SSL_KEY_FILE."
            )
        case SaslAuthenticationFailed():
            return f"it does not accept who we say we are ({error}): see {_of_the_secret(security)}."
        case UnsupportedSaslMechanismError():
            return f"it does not know {PREFIX}SASL_MECHANISM={security.mechanism}."
        case TimeoutError() | ConnectionRefusedError() | RequestTimedOutError():
            return None
        case OSError() if not isinstance(error, ssl.SSLError | ConnectionError):
            return None  # no such host, no way there
        case _ if isinstance(cause, ssl.SSLError):
            return _refusal(cause, security)
        case _:
            return (
                f"it ended the connection before we were let in ({error!r}): "
                f"see whether it takes {PREFIX}SECURITY_PROTOCOL={security.protocol} at this port."
            )


def _of_the_secret(security: Security) -> str:
    if security.token_url is not None:
        return f"{PREFIX}SASL_TOKEN_URL, {PREFIX}SASL_CLIENT_ID and {PREFIX}SASL_TOKEN_SCOPE"
    if security.mechanism == "OAUTHBEARER":
        return f"{PREFIX}SASL_TOKEN_FILE"
    return f"{PREFIX}SASL_USERNAME, {PREFIX}SASL_PASSWORD_FILE and {PREFIX}SASL_MECHANISM={security.mechanism}"


def _words(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).lower().replace("_", " ")
