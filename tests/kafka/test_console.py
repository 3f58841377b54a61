"""The command that an import prints to show a topic: a shell and kafka-python's own parser read it back."""

import subprocess
from pathlib import Path

import pytest
from kafka.cli.common import build_connect_kwargs
from kafka.cli.consumer import main_parser

from flatline.kafka.cluster import KafkaCluster
from flatline.kafka.console import console_consumer
from flatline.kafka.security import Security

PASSWORD = "it's a $ecret"
SERVERS = "one.example:9093,two.example:9093"


def understood(security: Security) -> dict[str, object]:
    """Return with what configuration the command makes its consumer, when a shell runs it."""
    command = console_consumer(KafkaCluster(SERVERS, security), "flatline.links.v1-dlq")
    assert command is not None
    assert PASSWORD not in command
    program = "python -m kafka.consumer "
    assert command.startswith(program)
    shell = ["sh", "-c", f"printf '%s\\0' {command.removeprefix(program)}"]
    arguments = subprocess.run(shell, capture_output=True, check=True, text=True).stdout.split("\0")[:-1]
    parsed = main_parser().parse_args(arguments)
    assert (parsed.topics, parsed.format) == (["flatline.links.v1-dlq"], "full")
    return build_connect_kwargs(parsed)


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"])
def test_it_comes_in_with_the_password_of_the_file(tmp_path: Path, mechanism: str) -> None:
    """User, mechanism and authorities are those of the settings, whatever the names are like."""
    folder = tmp_path / "a folder; that's one"
    folder.mkdir()
    (folder / "password").write_text(f"{PASSWORD}\n")
    found = understood(
        Security(
            protocol="SASL_SSL",
            mechanism=mechanism,  # type: ignore[arg-type]
            username="team links",
            password_file=folder / "password",
            ca_file=folder / "ca.pem",
        )
    )
    assert found == {
        "bootstrap_servers": SERVERS.split(","),
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": mechanism,
        "sasl_plain_username": "team links",
        "sasl_plain_password": PASSWORD,
        "ssl_cafile": str(folder / "ca.pem"),
        "auto_offset_reset": "earliest",
    }


def test_it_comes_in_with_the_certificate() -> None:
    """Certificate and key are named as well."""
    files = {"ca_file": Path("ca"), "certificate_file": Path("our certificate"), "key_file": Path("key")}
    found = understood(Security(protocol="SSL", **files))  # type: ignore[arg-type]
    assert found["security_protocol"] == "SSL"
    assert (found["ssl_cafile"], found["ssl_certfile"], found["ssl_keyfile"]) == ("ca", "our certificate", "key")


def test_without_security_it_is_short() -> None:
    """Nothing is said of what is not needed."""
    assert console_consumer(KafkaCluster("localhost:9092"), "t") == (
        "python -m kafka.consumer -b localhost:9092 -t t -f full -C auto_offset_reset=earliest"
    )


def test_there_is_none_for_tokens() -> None:
    """The command line takes no token: a command that fails is not printed."""
    security = Security(protocol="SASL_SSL", mechanism="OAUTHBEARER", token_file=Path("token"))
    assert console_consumer(KafkaCluster(SERVERS, security), "t") is None
