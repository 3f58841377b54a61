import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from flatline.admin.topics import ensure_topics
from flatline.cli.doctor import doctor
from flatline.doctor.check_result import CheckResult, Sign
from flatline.doctor.installation import examine_installation
from flatline.doctor.services import examine_tokens
from flatline.kafka.cluster import KafkaCluster
from flatline.schema.topics import Topics
from flatline.settings import Settings

app = typer.Typer()
app.command()(doctor)


def by_name(findings: list[CheckResult]) -> dict[str, CheckResult]:
    """Return the findings by what was looked at."""
    return {finding.what: finding for finding in findings}


def test_machine_that_runs_these_tests_is_fine() -> None:
    """The tests need all that `flatline up` needs, so here nothing is missing: exit code 0."""
    result = CliRunner().invoke(app, ["--data-dir", "/nonexistent"])
    assert (result.exit_code, result.output.count("✗")) == (0, 0)
    for what in ("Python", "Java", "Kafka's jars", "prometheus", "promtool", "amtool", "Faust, compiled", "crc32c"):
        assert what in result.output


def test_an_installation_that_nothing_names_is_said_not_to_be_looked_at() -> None:
    """Or all that is fine would be taken for the whole; it may be meant so, and is no failure."""
    result = CliRunner().invoke(app, ["--data-dir", "/nonexistent", "--json"])
    found = by_name([CheckResult(**json.loads(line)) for line in result.stdout.splitlines()])["installation"]
    assert (result.exit_code, found.sign) == (0, Sign.LOOK)
    for variable in ("FLATLINE_KAFKA_BOOTSTRAP", "FLATLINE_PROMETHEUS_URL", "FLATLINE_ALERTMANAGER_URL"):
        assert variable in found.says


@pytest.mark.parametrize(
    ("content", "sign", "says"),
    [
        ("# who may push\ncrawler:0123456789abcdef\n", Sign.FINE, "can be read"),
        ("crawler:0123456789abcdef\nno token\n", Sign.WRONG, "line 2 is not `source:token`"),
        (None, Sign.WRONG, "No such file"),
    ],
)
def test_the_tokens_are_read_as_the_ingest_reads_them(
    tmp_path: Path, content: str | None, sign: Sign, says: str
) -> None:
    """What would keep it from starting is named, and no token is told."""
    file = tmp_path / "tokens"
    if content is not None:
        file.write_text(content)
        file.chmod(0o600)
    [found] = examine_tokens(Settings(ingest_tokens_file=file))
    assert found.sign == sign
    assert says in found.says
    assert str(file) in found.says
    assert "0123456789abcdef" not in found.says


def test_what_is_missing_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a PATH without programs each of them is a line that says how to get it: exit code 1."""
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    result = CliRunner().invoke(app, ["--data-dir", "/nonexistent"], env={"COLUMNS": "200"})
    assert result.exit_code == 1
    missing = [line for line in result.output.splitlines() if "✗" in line]
    assert len(missing) == 5
    assert all("make setup" in line for line in missing)


def test_scripts_get_one_object_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """With --json each finding is an object, and the exit code is the same."""
    assert CliRunner().invoke(app, ["--data-dir", "/nonexistent", "--json"]).exit_code == 0
    monkeypatch.setenv("PATH", "/nonexistent")
    result = CliRunner().invoke(app, ["--data-dir", "/nonexistent", "--json"])
    assert result.exit_code == 1
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert all(each.keys() == {"what", "sign", "says"} for each in found)
    assert "wrong" in {each["sign"] for each in found if each["what"] == "promtool"}


def test_a_test_alert_needs_an_alertmanager() -> None:
    """Where none is known nothing is sent, and the answer has the variable: exit code 1."""
    result = CliRunner().invoke(app, ["--data-dir", "/nonexistent", "--send-test-alert"], env={"COLUMNS": "200"})
    assert result.exit_code == 1
    assert "not sent: start `flatline up`, or set FLATLINE_ALERTMANAGER_URL" in result.output


def test_installation_is_examined(kafka_bootstrap: str, namespace: str) -> None:
    """Topics that are not as declared, and servers that don't answer, are findings of their own."""
    settings = Settings(kafka_bootstrap=kafka_bootstrap, namespace=namespace, worker_port=1, ingest_port=1)
    found = by_name(examine_installation(settings))
    assert found["Kafka"].sign == Sign.FINE
    assert f"{namespace}.links.v1 does not exist." in found["topics"].says
    assert {found[name].sign for name in ("topics", "worker", "ingest")} == {Sign.WRONG}
    # Who has no monitoring, or has not said where it is, reads how to have it looked at.
    assert {found[name].sign for name in ("Prometheus", "Alertmanager", "tokens file")} == {Sign.LOOK}

    ensure_topics(KafkaCluster(kafka_bootstrap), Topics(namespace=namespace).all())
    assert by_name(examine_installation(settings))["topics"].sign == Sign.FINE


def test_without_kafka_the_rest_is_examined() -> None:
    """Of Kafka one thing is said: the address and the variable."""
    found = by_name(examine_installation(Settings(kafka_bootstrap="127.0.0.1:1", worker_port=1, ingest_port=1)))
    assert found["Kafka"].sign == Sign.WRONG
    assert "127.0.0.1:1" in found["Kafka"].says
    assert "FLATLINE_KAFKA_BOOTSTRAP" in found["Kafka"].says
    assert "topics" not in found
    assert found["worker"].sign == Sign.WRONG
