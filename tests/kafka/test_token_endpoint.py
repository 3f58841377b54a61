"""Tokens from a token endpoint: requested once, replaced in time, and what is said when there is none."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.kafka.secret_file import CredentialError, SecretFile
from flatline.kafka.token_endpoint import NoTokenError, TokenEndpoint, Tokens
from tests.kafka.token_server import CLIENT, SECRET, TokenServer

SETTING = "FLATLINE_KAFKA_SASL_CLIENT_SECRET_FILE"


@pytest.fixture
def server() -> Iterator[TokenServer]:
    """Run one whose tokens are numbered."""
    numbers = count(1)
    with TokenServer(lambda: f"token-{next(numbers)}", lives_s=3600, scope="kafka") as server:
        yield server


@pytest.fixture
def endpoint(server: TokenServer, tmp_path: Path) -> TokenEndpoint:
    """Return what requests tokens of it."""
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    secret = SecretFile(path=file, setting=SETTING)
    return TokenEndpoint(url=server.url, client_id=CLIENT, secret=secret, scope="kafka")


def test_all_connections_use_one_token_until_kafka_refuses_it(server: TokenServer, endpoint: TokenEndpoint) -> None:
    """Another object with the same settings has the same token; the secret is in no text that could be logged."""
    again = TokenEndpoint(url=server.url, client_id=CLIENT, secret=endpoint.secret, scope="kafka")
    assert [endpoint.read(), again.read(), endpoint.read()] == ["token-1"] * 3
    endpoint.forget()
    assert [endpoint.read(), again.read()] == ["token-2"] * 2
    assert server.issued == 2
    assert SECRET not in repr(endpoint)


def test_a_new_secret_is_used_at_once(server: TokenServer, endpoint: TokenEndpoint) -> None:
    """The file is read for each request."""
    server.secret = "another secret"
    with pytest.raises(NoTokenError):
        endpoint.read()
    endpoint.secret.path.write_text("another secret")
    assert endpoint.read() == "token-1"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((401, b'{"error": "invalid_client"}'), f"no token .401, invalid_client.: see .*CLIENT_ID, {SETTING} and"),
        ((400, b'{"error": "invalid_scope"}'), "400, invalid_scope.*FLATLINE_KAFKA_SASL_TOKEN_SCOPE"),
        ((403, b"<html>"), f"no token .403.: see .*{SETTING}"),
        ((503, b""), "FLATLINE_KAFKA_SASL_TOKEN_URL: http.* gives no token .503."),
        ((404, b"[]"), "FLATLINE_KAFKA_SASL_TOKEN_URL: http.* gives no token .404."),
        ((302, b""), "FLATLINE_KAFKA_SASL_TOKEN_URL: http.* gives no token .302."),
        ((200, b"<html>"), "FLATLINE_KAFKA_SASL_TOKEN_URL: http.* answers without a token"),
        ((200, b'{"access_token": ""}'), "answers without a token"),
        ((200, b'{"access_token": "a\\u0001auth=Bearer b"}'), "answers without a token"),
        ((200, b'{"access_token": "a", "expires_in": "soon"}'), "answers without a token"),
        ((200, b'["a"]'), "answers without a token"),
    ],
)
def test_why_there_is_no_token(
    server: TokenServer, endpoint: TokenEndpoint, answer: tuple[int, bytes], said: str
) -> None:
    """The message names the settings to look at, and does not hold the secret."""
    server.answer = answer
    with pytest.raises(NoTokenError, match=said) as raised:
        endpoint.read()
    assert SECRET not in str(raised.value)


def test_nobody_there(server: TokenServer, endpoint: TokenEndpoint) -> None:
    """It names the address. A secret that can't be read names its file."""
    with TokenServer(lambda: "", lives_s=0) as gone:
        pass
    elsewhere = TokenEndpoint(url=gone.url, client_id=CLIENT, secret=endpoint.secret)
    with pytest.raises(NoTokenError, match=f"FLATLINE_KAFKA_SASL_TOKEN_URL: {gone.url} can't be reached: .*refused"):
        elsewhere.read()
    endpoint.secret.path.unlink()
    with pytest.raises(CredentialError, match=f"{SETTING}: "):
        endpoint.read()
    assert server.issued == 0


@given(st.lists(st.tuples(st.floats(0, 50), st.one_of(st.none(), st.floats(0, 100))), min_size=1, max_size=20))
def test_a_token_that_has_expired_is_never_used(steps: list[tuple[float, float | None]]) -> None:
    """At each step time passes, and the endpoint would give a token with a life, or fails.

    Whoever asks gets a token that lives, or an error; after four fifths of its life it is replaced if that is possible.
    """
    now_s, answer = 0.0, None
    issued: list[tuple[float, float]] = []

    def request() -> tuple[str, float]:
        if answer is None:
            raise NoTokenError("none")
        issued.append((now_s, answer))
        return str(len(issued) - 1), answer

    tokens = Tokens(request, now_s=lambda: now_s)
    for passed_s, answer in steps:
        now_s += passed_s
        before = len(issued)
        try:
            number = int(tokens.read())
        except NoTokenError:
            assert answer is None
            assert not issued or now_s >= sum(issued[-1])
            continue
        assert number == len(issued) - 1, "the newest one"
        if len(issued) == before:
            began_s, life_s = issued[number]
            assert now_s < began_s + (life_s if answer is None else 0.8 * life_s)
