import pytest
import typer
from typer.testing import CliRunner

from deploy.kafka.topics import ensure_topics
from deploy.local.checkup import Finding, examine_installation
from streams.cli.doctor import doctor
from streams.schema.topics import Topics
from streams.settings import Settings

app = typer.Typer()
app.command()(doctor)


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    """Return the findings by what was looked at."""
    return {finding.what: finding for finding in findings}


def test_machine_that_runs_these_tests_is_fine() -> None:
    """The tests need all that `flatline up` needs, so here nothing is missing: exit code 0."""
    result = CliRunner().invoke(app, ["--data-dir", "/nonexistent"])
    assert (result.exit_code, result.output.count("✗")) == (0, 0)
    for what in ("Python", "Java", "Kafka's jars", "prometheus", "promtool", "amtool", "Faust, compiled", "crc32c"):
        assert what in result.output


def test_what_is_missing_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a PATH without programs each of them is a line that says how to get it: exit code 1."""
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    result = CliRunner().invoke(app, ["--data-dir", "/nonexistent"], env={"COLUMNS": "200"})
    assert result.exit_code == 1
    missing = [line for line in result.output.splitlines() if "✗" in line]
    assert len(missing) == 5
    assert all("make setup" in line for line in missing)


def test_installation_is_examined(kafka_bootstrap: str, namespace: str) -> None:
    """Topics that are not as declared, and servers that don't answer, are findings of their own."""
    settings = Settings(kafka_bootstrap=kafka_bootstrap, namespace=namespace, worker_port=1, ingest_port=1)
    found = by_name(examine_installation(settings))
    assert found["Kafka"].is_fine
    assert f"{namespace}.links.v1 does not exist." in found["topics"].says
    assert not any(found[name].is_fine for name in ("topics", "worker", "ingest"))

    ensure_topics(kafka_bootstrap, Topics(namespace=namespace).all(), replication_factor=1)
    assert by_name(examine_installation(settings))["topics"].is_fine


def test_kafka_that_is_not_there_is_the_only_finding() -> None:
    """Nothing else can be said without it; the message has the address and the variable."""
    [finding] = examine_installation(Settings(kafka_bootstrap="127.0.0.1:1"))
    assert not finding.is_fine
    assert "127.0.0.1:1" in finding.says
    assert "FLATLINE_KAFKA_BOOTSTRAP" in finding.says
