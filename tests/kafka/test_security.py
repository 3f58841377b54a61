"""How the settings of a secured Kafka have to fit together, and what is made of them."""

from pathlib import Path

import pytest

from flatline.kafka.cluster import KafkaCluster
from flatline.kafka.secret_file import SecretFile, UnreadableFileError
from flatline.kafka.security import Security
from flatline.settings import SettingsError, load_settings

FILE = Path("file")
ENDPOINT = {
    "mechanism": "OAUTHBEARER",
    "token_url": "https://issuer.example/token",
    "client_id": "client",
    "client_secret_file": FILE,
}
SASL = {"username": "worker", "password_file": FILE}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"protocol": "SASL_SSL"}, "needs FLATLINE_KAFKA_SASL_USERNAME"),
        ({"protocol": "SASL_SSL", "username": "worker"}, "needs FLATLINE_KAFKA_SASL_PASSWORD_FILE"),
        ({"protocol": "SASL_PLAINTEXT", "mechanism": "OAUTHBEARER"}, "needs FLATLINE_KAFKA_SASL_TOKEN_FILE"),
        ({"protocol": "SASL_SSL", **ENDPOINT, "client_id": None}, "needs FLATLINE_KAFKA_SASL_CLIENT_ID"),
        ({"protocol": "SASL_SSL", **ENDPOINT, "client_secret_file": None}, "needs FLATLINE_KAFKA_SASL_CLIENT_SECRET"),
        ({"protocol": "SASL_SSL", **ENDPOINT, "token_file": FILE}, "no use of FLATLINE_KAFKA_SASL_TOKEN_FILE"),
        ({"protocol": "SASL_SSL", **ENDPOINT, "token_url": None}, "no use of FLATLINE_KAFKA_SASL_CLIENT_ID"),
        ({"protocol": "SASL_SSL", **ENDPOINT, "token_url": "http://a.example/"}, "has to begin with https://"),
        ({"protocol": "SASL_SSL", **ENDPOINT, "mechanism": "PLAIN"}, "no use of FLATLINE_KAFKA_SASL_TOKEN_URL"),
        ({"protocol": "SSL", **ENDPOINT}, "no use of FLATLINE_KAFKA_SASL_TOKEN_URL"),
        ({"protocol": "PLAINTEXT", **SASL}, "no use of FLATLINE_KAFKA_SASL_USERNAME"),
        ({"protocol": "SSL", **SASL}, "no use of FLATLINE_KAFKA_SASL_USERNAME"),
        ({"protocol": "PLAINTEXT", "ca_file": FILE}, "no use of FLATLINE_KAFKA_SSL_CA_FILE"),
        ({"protocol": "SASL_PLAINTEXT", **SASL, "ca_file": FILE}, "no use of FLATLINE_KAFKA_SSL_CA_FILE"),
        ({"protocol": "SSL", "certificate_file": FILE}, "needs both"),
        ({"protocol": "SASL_SSL", **SASL, "key_file": FILE}, "needs both"),
    ],
)
def test_what_does_not_fit_together_is_refused(given: dict[str, object], named: str) -> None:
    """Whether it is missing, or set and would be ignored: then somebody believes to be protected by it."""
    with pytest.raises(ValueError, match=named):
        Security(**given)  # type: ignore[arg-type]


def test_a_setting_that_is_ignored_stops_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the variable."""
    monkeypatch.setenv("FLATLINE_KAFKA_SASL_USERNAME", "worker")
    with pytest.raises(
        SettingsError,
        match="PROTOCOL is 'PLAINTEXT': it makes no use of FLATLINE_KAFKA_SASL_USERNAME",
    ):
        load_settings()


def test_a_secret_is_read_anew_and_shown_nowhere(tmp_path: Path) -> None:
    """It is in no text that could be logged, and the newest one counts."""
    file = tmp_path / "password"
    file.write_text("first-secret\n")
    secret = SecretFile(path=file, setting="FLATLINE_KAFKA_SASL_PASSWORD_FILE")
    security = Security(protocol="SASL_SSL", username="worker", password_file=file)
    assert secret.encode() == b"first-secret"
    file.write_text("second-secret")
    assert secret.read() == "second-secret"
    assert "-secret" not in repr(KafkaCluster("a:1", security)) + repr(secret)


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe"])
def test_a_secret_that_can_not_be_read_names_its_setting(tmp_path: Path, content: bytes | None) -> None:
    """So does one that is empty."""
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UnreadableFileError, match=f"FLATLINE_KAFKA_SASL_PASSWORD_FILE: {file}"):
        SecretFile(path=file, setting="FLATLINE_KAFKA_SASL_PASSWORD_FILE").read()
