"""The chart as a whole: what Kubernetes takes, what our settings know, and which values are refused."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from flatline.settings import PREFIX, Settings
from tests.cli.commands import all_commands
from tests.deploy.helm import CHART, RELEASE, environment_of, needs_helm, notes, pod_of, refused, rendered

CI = CHART / "ci"
VALUES = sorted(CI.glob("*.yaml"))
KUBERNETES = ("1.29", "1.33", "1.37")
# Kinds of operators, which Kubernetes' own schemas lack.
OF_OPERATORS = {"PodMonitor", "PrometheusRule", "KafkaTopic", "KafkaUser", "ScaledObject", "TriggerAuthentication"}
KNOWN = {PREFIX + name.upper(): name for name in Settings.model_fields}
# Values that contradict each other or say too little, and what is said of them.
REFUSED = {
    "kafka.bootstrap is empty": {"kafka": {"bootstrap": ""}},
    "image.tag and image.digest": {"image": {"tag": "1", "digest": f"sha256:{'0' * 64}"}},
    "kafka.sasl.users.worker is set": {"kafka": {"sasl": {"users": {"worker": {"username": "w"}}}}},
    "needs username and secretName": {"kafka": {"securityProtocol": "SASL_SSL"}},
    "kafka.ca is set": {"kafka": {"ca": {"secretName": "ca"}}},
    "worker.replicas is 9": {"worker": {"replicas": 9}},
    "keda.maxReplicas is 9": {"keda": {"enabled": True, "maxReplicas": 9}},
    "keda.minReplicas is larger": {"keda": {"enabled": True, "minReplicas": 5}},
    "ingest.tokens.secretName is empty": {"ingest": {"tokens": {"secretName": ""}}},
    "serve.tokens.secretName is empty": {"serve": {"tokens": {"secretName": ""}}},
    "serve.replicas 1 only": {"serve": {"replicas": 2, "persistence": {"enabled": True}}},
    "connect.enabled needs": {"connect": {"enabled": True}},
    "which of them is it": {"connect": {"enabled": True, "config": "a", "secretName": "b"}},
    "strimzi.cluster is empty": {"strimzi": {"topics": True}, "topics": {"create": False}},
    "one of them creates the topics": {"strimzi": {"topics": True, "cluster": "main"}},
    "SCRAM-SHA-512 users": {"strimzi": {"users": True, "cluster": "main"}},
    # The schema's.
    "replicaz": {"worker": {"replicaz": 2}},
    "FLATLINE_RETENTION_DAY": {"settings": {"FLATLINE_RETENTION_DAY": 2}},
    "FLATLINE_WORKER_PORT": {"settings": {"FLATLINE_WORKER_PORT": 1}},
    "securityProtocol": {"kafka": {"securityProtocol": "TLS"}},
    "partitions": {"kafka": {"partitions": "eight"}},
}


@needs_helm
@pytest.mark.parametrize("values", VALUES, ids=lambda file: file.stem)
def test_kubernetes_takes_what_is_rendered(values: Path) -> None:
    """By the schemas of three of its versions, without a field that they don't know."""
    for (kind, _), each in rendered(values).items():
        if kind not in OF_OPERATORS:
            for version in KUBERNETES:
                kubernetes_validate.validate(each, version, strict=True)


@needs_helm
def test_nothing_needs_an_operator_unless_asked() -> None:
    """By default there are Kubernetes' own kinds only."""
    assert {kind for kind, _ in rendered()} & OF_OPERATORS == set()


@needs_helm
@pytest.mark.parametrize("values", VALUES, ids=lambda file: file.stem)
def test_pods_are_set_as_settings_know(values: Path) -> None:
    """Each variable is a setting with a value that it takes, and each command exists."""
    commands = {found.words for found in all_commands()}
    for (kind, _), each in rendered(values).items():
        if kind in ("StatefulSet", "Deployment", "Job"):
            pod = each["spec"]["template"]["spec"]
            given = environment_of(pod)
            assert given.keys() <= KNOWN.keys()
            Settings.model_validate({KNOWN[name]: value for name, value in given.items() if value is not None})
            assert tuple(pod["containers"][0]["args"]) in commands
            mounted = [mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]]
            files = [value for name, value in given.items() if name.endswith("_FILE") and value]
            assert all(str(Path(file).parent) in mounted for file in files)


@needs_helm
@pytest.mark.parametrize("values", VALUES, ids=lambda file: file.stem)
def test_pods_have_no_rights(values: Path) -> None:
    """As the restricted Pod Security Standard asks, and more: read-only root, no token, an account without roles."""
    objects = rendered(values)
    assert not [kind for kind, _ in objects if "Role" in kind]
    for (kind, _), each in objects.items():
        if kind in ("StatefulSet", "Deployment", "Job"):
            pod = each["spec"]["template"]["spec"]
            assert pod["automountServiceAccountToken"] is False
            assert pod["securityContext"]["runAsNonRoot"] is True
            assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
            assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
            assert not [volume for volume in pod["volumes"] if "hostPath" in volume]
            for container in pod["containers"]:
                assert container["securityContext"] == {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                }
            if kind != "Job":
                assert ("ServiceAccount", pod["serviceAccountName"]) in objects


@needs_helm
def test_selectors_find_their_own_pods_only() -> None:
    """Services, budgets and policies of one role never select another role's pods."""
    objects = rendered(CI / "connect.yaml")
    pods = {
        name: each["spec"]["template"]["metadata"]["labels"].items()
        for (kind, name), each in objects.items()
        if kind in ("StatefulSet", "Deployment", "Job")
    }
    for (kind, name), each in objects.items():
        match kind:
            case "Service":
                selector = each["spec"]["selector"]
            case "PodDisruptionBudget":
                selector = each["spec"]["selector"]["matchLabels"]
            case "NetworkPolicy":
                selector = each["spec"]["podSelector"]["matchLabels"]
            case _:
                continue
        assert [found for found, labels in pods.items() if selector.items() <= labels] == [name]


@needs_helm
def test_probes_ask_what_they_mean() -> None:
    """/livez restarts, /readyz only takes out of service; both at the port that listens."""
    for role in ("worker", "ingest", "serve"):
        [container] = pod_of(rendered(), role)["containers"]
        assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
        assert container["startupProbe"]["httpGet"]["path"] == "/livez"
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
        port = environment_of(pod_of(rendered(), role))[f"FLATLINE_{role.upper()}_PORT"]
        assert container["ports"] == [{"name": "http", "containerPort": int(str(port))}]
        assert port == str(Settings.model_fields[f"{role}_port"].default)


@needs_helm
@pytest.mark.parametrize("said", REFUSED)
def test_values_that_make_no_sense_are_refused(said: str, tmp_path: Path) -> None:
    """At rendering, with a sentence that names the value."""
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(REFUSED[said]))
    assert said in refused(file)


@needs_helm
def test_notes_say_what_to_do_next(tmp_path: Path) -> None:
    """With addresses that the chart makes."""
    said = notes(tmp_path / "plain")
    assert f"service/{RELEASE}-serve" in said
    assert f"{RELEASE}-worker-0" in said
    assert "podMonitors.enabled" in said
    assert "podMonitors.enabled" not in notes(tmp_path / "monitored", CI / "monitoring.yaml")


def test_defaults_and_examples_have_the_schema() -> None:
    """It refuses what it does not know, on every level."""
    import jsonschema  # takes more than a second, of every process that finds tests

    schema = json.loads((CHART / "values.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    for file in (CHART / "values.yaml", *VALUES):
        validator.validate(yaml.safe_load(file.read_text()))
    assert _open_objects(schema) == set()
    for values in ({"worker": {"replicaz": 1}}, {"settings": {"FLATLINE_WORKER_PORT": 1}}, {"nothing": 1}):
        assert not validator.is_valid(values)


def _open_objects(schema: Any, path: str = "") -> set[str]:
    """Return where an object takes anything, though it names what it takes."""
    if isinstance(schema, list):
        return set[str]().union(*(_open_objects(each, path) for each in schema))
    if not isinstance(schema, dict):
        return set()
    is_open = (
        "properties" in schema and schema.get("type") == "object" and schema.get("additionalProperties") is not False
    )
    found = {path} if is_open else set()
    return found.union(*(_open_objects(each, f"{path}/{name}") for name, each in schema.items()))


def test_what_the_chart_knows_of_flatline_is_current() -> None:
    """Topics, permissions and settings; if not, run `make chart`."""
    spec = importlib.util.spec_from_file_location("generate", CHART.parent / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    assert generate.KAFKA_FILE.read_text() == generate.kafka_yaml()
    assert generate.SCHEMA_FILE.read_text() == generate.schema_json()
