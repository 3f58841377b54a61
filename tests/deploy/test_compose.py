"""The compose file: its schema, and that each variable, port, volume, file and command that it names exists."""

import re
import subprocess
from functools import cache
from typing import Any

import pytest
import yaml

from flatline.settings import PREFIX, Settings
from tests.cli.commands import all_commands
from tests.deploy.alert_rules import DEPLOY
from tests.scripts import script

FILE = DEPLOY / "compose.yaml"
MONITORING = {"kafka", "prometheus", "alertmanager", "grafana"}
# What its names of variables stand for is up to who starts it.
LOCAL = re.compile(r"\$\{[A-Z_]+:-(?P<default>[^}]*)\}")
# Its user makes them: deploy/README.md says how.
MADE_BY_THE_USER = {"compose/ingest-tokens", "compose/serve-tokens", "compose/connectors.toml"}
PROVISIONING = DEPLOY.parent / "grafana" / "provisioning"


@cache
def compose() -> dict[str, Any]:
    """Return the file, merged, with the defaults of its variables."""
    return dict(yaml.safe_load(LOCAL.sub(lambda match: match["default"], FILE.read_text())))


def services(*, ours: bool) -> dict[str, dict[str, Any]]:
    """Return the services that run Flatline, or the others."""
    return {name: service for name, service in compose()["services"].items() if (name not in MONITORING) == ours}


def test_it_has_the_published_schema() -> None:
    """The schema of the Compose Specification, as check-jsonschema has it."""
    command = [script("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", FILE]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", services(ours=True))
def test_its_variables_and_commands_are_ours(name: str) -> None:
    """Settings takes each variable with its value, and each command exists."""
    service = services(ours=True)[name]
    known = {PREFIX + field.upper(): field for field in Settings.model_fields}
    assert service["environment"].keys() <= known.keys()
    Settings(**{known[variable]: value for variable, value in service["environment"].items()})
    commands = {found.words for found in all_commands()}
    assert tuple(service["command"]) in commands
    if check := service.get("healthcheck"):
        assert check["test"][:4] == ["CMD", "flatline", "instances", "check"]
        assert check["test"][4] == service["command"][0]


@pytest.mark.parametrize("name", services(ours=True))
def test_our_containers_can_do_nothing_else(name: str) -> None:
    """Read-only root, no capabilities, no new privileges."""
    service = services(ours=True)[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_what_listens_is_reached_from_this_machine_only() -> None:
    """Each published port is on loopback, one of its own, and for ours that of the settings."""
    ports = {name: service["ports"] for name, service in compose()["services"].items() if "ports" in service}
    published = [port.rsplit(":", 2) for each in ports.values() for port in each]
    assert {host for host, *_ in published} == {"127.0.0.1"}
    assert len({outside for _, outside, _ in published}) == len(published)
    for name, service in services(ours=True).items():
        given = service["environment"]
        if (role := service["command"][0]) == "topics":
            continue
        port = given[f"{PREFIX}{role.upper()}_PORT"]
        assert given[f"{PREFIX}{role.upper()}_HOST"] == "0.0.0.0"
        assert given["FLATLINE_ADVERTISED_HOST"] == service["hostname"] == name
        assert port == Settings.model_fields[f"{role}_port"].default
        assert ports.get(name, [f"127.0.0.1:{port}:{port}"]) == [f"127.0.0.1:{port}:{port}"]


def test_mounted_files_exist_and_volumes_are_declared() -> None:
    """A folder that is not there would be made by the engine, empty and root's."""
    used = set()
    for service in compose()["services"].values():
        for mount in service.get("volumes", ()):
            source, target, *_ = mount.split(":")
            assert target.startswith("/")
            if "/" not in source:
                used.add(source)
            elif source.removeprefix("./") not in MADE_BY_THE_USER:
                assert (DEPLOY / source).exists(), source
        for secret in service.get("secrets", ()):
            assert compose()["secrets"][secret]["file"].removeprefix("./") in MADE_BY_THE_USER
    assert used == compose()["volumes"].keys()
    ignored = (DEPLOY.parent / ".gitignore").read_text().split()
    assert {f"/deploy/{name}" for name in MADE_BY_THE_USER} <= set(ignored)


def test_secrets_are_read_from_where_they_are_mounted() -> None:
    """Each file that a setting names is a secret, or mounted."""
    for service in services(ours=True).values():
        mounted = {mount.split(":")[1] for mount in service.get("volumes", ())}
        mounted |= {f"/run/secrets/{secret}" for secret in service.get("secrets", ())}
        named = {value for name, value in service["environment"].items() if name.endswith("_FILE")}
        assert named <= mounted


def test_addresses_name_services_and_their_ports() -> None:
    """What one service is told of another one: its name, and the port at which it listens."""
    listening = {"kafka:9092", "kafka:9093", "prometheus:9090", "alertmanager:9093"}
    for name, service in services(ours=True).items():
        listening |= {f"{name}:{port}" for key, port in service["environment"].items() if key.endswith("_PORT")}
    texts = (FILE.read_text(), (DEPLOY / "compose" / "prometheus.yml").read_text())
    names = "|".join(compose()["services"])
    said = {match for text in texts for match in re.findall(rf"(?<![\w.-])((?:{names}):\d{{4}})\b", text)}
    assert said <= listening
    assert {"kafka:9092", "alertmanager:9093", "ingest:8710"} <= said


def test_prometheus_is_the_one_that_is_documented() -> None:
    """Its configuration differs from deploy/prometheus/prometheus.yml by addresses alone."""
    text = (DEPLOY / "prometheus" / "prometheus.yml").read_text()
    for here, there in (("8710", "ingest"), ("8711", "worker-1"), ("9093", "alertmanager")):
        text = text.replace(f"127.0.0.1:{here}", f"{there}:{here}")
    assert yaml.safe_load((DEPLOY / "compose" / "prometheus.yml").read_text()) == yaml.safe_load(text)


def test_versions_are_those_that_are_tested() -> None:
    """Kafka is the one that the tests start, and Grafana the one whose types the dashboards have."""
    kafka = re.search(r"<kafka.version>(.*)</", (DEPLOY / "kafka" / "pom.xml").read_text())
    assert kafka is not None
    assert compose()["services"]["kafka"]["image"] == f"apache/kafka:{kafka[1]}"
    [grafana] = re.findall(r"grafana-foundation-sdk==\d+!([\d.]+)", (DEPLOY.parent / "pyproject.toml").read_text())
    assert compose()["services"]["grafana"]["image"] == f"grafana/grafana:{grafana}"
    assert all(":" in service["image"] for service in compose()["services"].values())


def test_grafana_is_provisioned() -> None:
    """Each variable that its provisioning reads is set, and the dashboards are mounted where it looks."""
    service = compose()["services"]["grafana"]
    read = {name for file in PROVISIONING.rglob("*.yml") for name in re.findall(r"\$(\w+)", file.read_text())}
    assert read == service["environment"].keys()
    mounted = dict(reversed(mount.split(":")[:2]) for mount in service["volumes"])
    assert mounted[service["environment"]["FLATLINE_DASHBOARDS"]] == "../grafana/dashboards"
    assert mounted["/etc/grafana/provisioning"] == "../grafana/provisioning"
