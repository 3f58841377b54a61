"""Each option of the chart: a values file in deploy/helm/flatline/ci, and what it changes."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from flatline.schema.topics import DAY_MS, Topics
from tests.deploy.helm import CHART, RELEASE, Objects, environment_of, needs_helm, pod_of, rendered

CI = CHART / "ci"
ROLES = ("worker", "ingest", "serve")
PLAIN = "minimal"


def spec(objects: Objects, kind: str, role: str) -> dict[str, Any]:
    """Return the specification of an object that is named after a role."""
    return dict(objects[kind, f"{RELEASE}-{role}"]["spec"])


def kinds(objects: Objects) -> set[str]:
    """Return the kinds of objects that there are."""
    return {kind for kind, _ in objects}


def image(objects: Objects) -> None:
    """Pull the image from where it is, with credentials."""
    for role in (*ROLES, "topics"):
        pod = pod_of(objects, role)
        assert pod["containers"][0]["image"] == "registry.example/flatline:1.2.3"
        assert pod["containers"][0]["imagePullPolicy"] == "Always"
        assert pod["imagePullSecrets"] == [{"name": "registry"}]


def digest(objects: Objects) -> None:
    """Have a digest take the place of the tag."""
    assert pod_of(objects, "worker")["containers"][0]["image"] == f"flatline@sha256:{'0123456789abcdef' * 4}"


def kafka(objects: Objects) -> None:
    """Topics' names and numbers reach every process."""
    for role in (*ROLES, "topics"):
        given = environment_of(pod_of(objects, role))
        assert given["FLATLINE_NAMESPACE"] == "team-a"
        assert (given["FLATLINE_PARTITIONS"], given["FLATLINE_REPLICATION_FACTOR"]) == ("24", "2")


def sasl(objects: Objects) -> None:
    """Each process comes to Kafka as its own user, and trusts the authorities."""
    for role, user in {"worker": "w", "ingest": "i", "serve": "s", "connect": "c", "topics": "o"}.items():
        pod = pod_of(objects, role)
        given = environment_of(pod)
        assert given["FLATLINE_KAFKA_SECURITY_PROTOCOL"] == "SASL_SSL"
        assert given["FLATLINE_KAFKA_SASL_MECHANISM"] == "SCRAM-SHA-256"
        assert given["FLATLINE_KAFKA_SASL_USERNAME"] == user
        mounted = secrets_by_folder(pod)
        assert mounted["/etc/flatline/kafka-user"] == f"{user}-secret"
        assert given["FLATLINE_KAFKA_SASL_PASSWORD_FILE"] == "/etc/flatline/kafka-user/pass"
        assert mounted["/etc/flatline/kafka-ca"] == "kafka-cluster-ca-cert"
        assert given["FLATLINE_KAFKA_SSL_CA_FILE"] == "/etc/flatline/kafka-ca/authorities.crt"


def secrets_by_folder(pod: dict[str, Any]) -> dict[str, str]:
    """Return the name of the Secret that is mounted in each folder."""
    sources = {each["name"]: each["secret"]["secretName"] for each in pod["volumes"] if "secret" in each}
    mounts = pod["containers"][0]["volumeMounts"]
    return {each["mountPath"]: sources[each["name"]] for each in mounts if each["name"] in sources}


def settings(objects: Objects) -> None:
    """Further settings reach every process."""
    for role in (*ROLES, "topics"):
        given = environment_of(pod_of(objects, role))
        assert given["FLATLINE_RETENTION_DAYS"] == "400"
        assert given["FLATLINE_GRAFANA_URL"] == "https://grafana.example"
        assert given["FLATLINE_WATCH_LIST_SIZE"] == "50"


def tls(objects: Objects) -> None:
    """All that listens speaks HTTPS, and is asked so."""
    for role in ROLES:
        pod = pod_of(objects, role)
        assert secrets_by_folder(pod)["/etc/flatline/tls"] == "flatline-tls"
        assert environment_of(pod)["FLATLINE_TLS_KEY_FILE"] == "/etc/flatline/tls/tls.key"
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert pod["containers"][0][probe]["httpGet"]["scheme"] == "HTTPS"
        [endpoint] = spec(objects, "PodMonitor", role)["podMetricsEndpoints"]
        assert endpoint["scheme"] == "https"
    assert "FLATLINE_TLS_KEY_FILE" not in environment_of(pod_of(objects, "topics"))


def topics(objects: Objects) -> None:
    """Leave the Job out."""
    assert "Job" not in kinds(objects)
    assert "Job" in kinds(rendered())


def worker(objects: Objects) -> None:
    """Replicas, resources and the policy, whose change restarts pods."""
    stateful = spec(objects, "StatefulSet", "worker")
    assert stateful["replicas"] == 5
    assert stateful["template"]["spec"]["containers"][0]["resources"]["limits"] == {"memory": "6Gi"}
    policy = objects["ConfigMap", f"{RELEASE}-policy"]["data"]["policy.toml"]
    assert policy == '[ignore]\ndomains = ["spam.example"]\n'
    for role in ("worker", "serve"):
        assert environment_of(pod_of(objects, role))["FLATLINE_POLICY_FILE"] == "/etc/flatline/policy/policy.toml"
        assert checksums(objects, role)["checksum/policy"] != checksums(rendered(), role)["checksum/policy"]


def checksums(objects: Objects, role: str) -> dict[str, str]:
    """Return the annotations by which pods are restarted."""
    kind = "StatefulSet" if role == "worker" else "Deployment"
    return dict(spec(objects, kind, role)["template"]["metadata"]["annotations"])


def ingest(objects: Objects) -> None:
    """Replicas, tokens, resources and the service."""
    assert spec(objects, "Deployment", "ingest")["replicas"] == 3
    pod = pod_of(objects, "ingest")
    assert secrets_by_folder(pod)["/etc/flatline/tokens"] == "crawlers"
    assert environment_of(pod)["FLATLINE_INGEST_TOKENS_FILE"] == "/etc/flatline/tokens/list"
    assert pod["containers"][0]["resources"]["requests"] == {"cpu": "500m", "memory": "300Mi"}
    service = spec(objects, "Service", "ingest")
    assert service["type"] == "LoadBalancer"
    assert service["ports"] == [{"name": "http", "port": 443, "targetPort": "http"}]


def serve(objects: Objects) -> None:
    """Give the read model a volume; tokens, resources and the service."""
    deployment = spec(objects, "Deployment", "serve")
    assert (deployment["replicas"], deployment["strategy"]) == (1, {"type": "Recreate"})
    pod = pod_of(objects, "serve")
    assert secrets_by_folder(pod)["/etc/flatline/tokens"] == "readers"
    assert environment_of(pod)["FLATLINE_SERVE_TOKENS_FILE"] == "/etc/flatline/tokens/list"
    assert pod["containers"][0]["resources"]["limits"] == {"memory": "3Gi"}
    [data] = [each for each in pod["volumes"] if each["name"] == "data"]
    claim = objects["PersistentVolumeClaim", data["persistentVolumeClaim"]["claimName"]]["spec"]
    assert claim["resources"]["requests"]["storage"] == "50Gi"
    assert claim["storageClassName"] == "fast"
    assert spec(objects, "Service", "serve")["ports"][0]["port"] == 80
    assert spec(objects, "Service", "serve")["type"] == "NodePort"


def workers_only(objects: Objects) -> None:
    """Leave the servers out."""
    assert {name for kind, name in objects if kind in ("Deployment", "StatefulSet")} == {f"{RELEASE}-worker"}
    assert {name for kind, name in objects if kind == "Service"} == {f"{RELEASE}-worker"}


def connect(objects: Objects) -> None:
    """Connectors as text, whose change restarts pods."""
    secret = objects["Secret", f"{RELEASE}-connectors"]["stringData"]["connectors.toml"]
    assert secret.startswith('[exports]\nkind = "folder"')
    pod = pod_of(objects, "connect")
    assert spec(objects, "Deployment", "connect")["replicas"] == 2
    assert secrets_by_folder(pod)["/etc/flatline/connectors"] == f"{RELEASE}-connectors"
    assert environment_of(pod)["FLATLINE_CONNECTORS_FILE"] == "/etc/flatline/connectors/connectors.toml"
    assert pod["containers"][0]["resources"]["limits"] == {"memory": "512Mi"}
    other = checksums(rendered(CI / "connect-secret.yaml"), "connect")
    assert checksums(objects, "connect")["checksum/connectors"] != other["checksum/connectors"]


def connect_secret(objects: Objects) -> None:
    """Connectors from a Secret that is there already."""
    assert secrets_by_folder(pod_of(objects, "connect"))["/etc/flatline/connectors"] == "my-connectors"
    assert "Secret" not in kinds(objects)


def placement(objects: Objects) -> None:
    """Where pods run."""
    for role in ROLES:
        pod = pod_of(objects, role)
        assert pod["nodeSelector"] == {"pool": "batch"}
        assert pod["tolerations"] == [{"key": "batch", "operator": "Exists", "effect": "NoSchedule"}]
        assert "topologySpreadConstraints" not in pod
        spread = pod_of(rendered(), role)["topologySpreadConstraints"]
        assert {each["topologyKey"] for each in spread} == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}
    assert "PodDisruptionBudget" not in kinds(objects)


def network(objects: Objects) -> None:
    """Who may connect, and what may be reached."""
    for role, team in {"worker": "monitoring", "ingest": "crawlers", "serve": "web"}.items():
        policy = spec(objects, "NetworkPolicy", role)
        [rule] = policy["ingress"]
        assert rule["from"] == [{"namespaceSelector": {"matchLabels": {"team": team}}}]
        assert policy["egress"][-1]["ports"] == [{"port": 9093}]
        assert policy["egress"][1]["ports"] == [{"port": 9092}]  # Kafka's, once


def no_network(objects: Objects) -> None:
    """Policies can be left out."""
    assert "NetworkPolicy" not in kinds(objects)
    assert "NetworkPolicy" in kinds(rendered())


def monitoring(objects: Objects) -> None:
    """Rules and dashboards are the ones of this repository, and jobs those that they know."""
    for role in (*ROLES, "connect"):
        monitor = objects["PodMonitor", f"{RELEASE}-{role}"]
        assert monitor["metadata"]["labels"]["release"] == "prometheus"
        [endpoint] = monitor["spec"]["podMetricsEndpoints"]
        assert {"targetLabel": "job", "replacement": f"flatline-{role}"} in endpoint["relabelings"]
        labels = spec(objects, "StatefulSet" if role == "worker" else "Deployment", role)["template"]["metadata"][
            "labels"
        ]
        assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()
    rule = objects["PrometheusRule", RELEASE]
    assert rule["metadata"]["labels"]["release"] == "prometheus"
    files = sorted((CHART.parents[1] / "prometheus" / "rules").glob("*.yml"))
    assert rule["spec"]["groups"] == [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    dashboards = CHART.parents[2] / "grafana" / "dashboards"
    shown = [each for each in objects.values() if each["metadata"]["labels"].get("grafana_dashboard") == "yes"]
    found = {name: text for each in shown for name, text in each["data"].items()}
    assert found == {file.name: file.read_text() for file in dashboards.glob("*.json")}


def strimzi(objects: Objects) -> None:
    """Topics are those that Flatline declares, and users may do what `flatline topics acls` prints."""
    declared = Topics(namespace="team-a", replication_factor=3, retention_days=400).all()
    found = {
        each["spec"]["topicName"]: each
        for kind, each in ((k, o) for (k, _), o in objects.items())
        if kind == "KafkaTopic"
    }
    assert found.keys() == {topic.name for topic in declared}
    for topic in declared:
        made = found[topic.name]
        assert made["metadata"]["labels"]["strimzi.io/cluster"] == "main"
        assert (made["spec"]["partitions"], made["spec"]["replicas"]) == (topic.partitions, 3)
        config = dict(topic.config())
        if topic.cleanup_policy == "delete" and config["retention.ms"] == str(400 * DAY_MS):
            assert topic.name in ("team-a.links.v1", "team-a.visits.v1")
        assert made["spec"]["config"] == config | made["spec"]["config"]
        assert config == {name: made["spec"]["config"][name] for name in config}
    users = {name: each["spec"] for (kind, name), each in objects.items() if kind == "KafkaUser"}
    assert users.keys() == {"flatline-worker", "flatline-ingest", "flatline-serve", "flatline-operator"}
    assert all(each["authentication"] == {"type": "scram-sha-512"} for each in users.values())
    reads = {"type": "topic", "name": "team-a.links.v1", "patternType": "prefix"}
    [links] = [each for each in users["flatline-worker"]["authorization"]["acls"] if each["resource"] == reads]
    assert set(links["operations"]) >= {"Read", "Write"}


def keda(objects: Objects) -> None:
    """Workers are scaled by the lag of their group."""
    assert "replicas" not in spec(objects, "StatefulSet", "worker")
    scaled = spec(objects, "ScaledObject", "worker")
    assert scaled["scaleTargetRef"] == {"kind": "StatefulSet", "name": f"{RELEASE}-worker"}
    assert (scaled["minReplicaCount"], scaled["maxReplicaCount"]) == (2, 6)
    [trigger] = scaled["triggers"]
    topics = Topics()
    assert trigger["metadata"]["consumerGroup"] == topics.group
    assert trigger["metadata"]["topic"] == topics.links.name
    assert trigger["metadata"]["lagThreshold"] == "500"


OPTIONS: dict[str, Callable[[Objects], None]] = {
    "image": image,
    "digest": digest,
    "kafka": kafka,
    "sasl": sasl,
    "settings": settings,
    "tls": tls,
    "topics": topics,
    "worker": worker,
    "ingest": ingest,
    "serve": serve,
    "workers-only": workers_only,
    "connect": connect,
    "connect-secret": connect_secret,
    "placement": placement,
    "network": network,
    "no-network": no_network,
    "monitoring": monitoring,
    "strimzi": strimzi,
    "keda": keda,
}


@needs_helm
@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_does_what_it_says(name: str) -> None:
    """In what Helm renders."""
    OPTIONS[name](rendered(CI / f"{name}.yaml"))


def leaves(values: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of each value; what is empty by default is a value, too."""
    if isinstance(values, dict) and values:
        for name, value in values.items():
            yield from leaves(value, (*path, name))
    else:
        yield path


def test_each_option_has_a_values_file() -> None:
    """And each values file has an assertion."""
    files = sorted(CI.glob("*.yaml"))
    assert {file.stem for file in files} == {*OPTIONS, PLAIN}
    given = {path for file in files for path in leaves(yaml.safe_load(file.read_text()))}
    options = set(leaves(yaml.safe_load((CHART / "values.yaml").read_text())))
    missing = {path for path in options if not any(each[: len(path)] == path for each in given)}
    assert missing == set()


def test_files_are_where_the_chart_packs_them() -> None:
    """Rules and dashboards are links to the one place where each is written."""
    root = CHART.parents[2]
    assert (CHART / "files" / "rules").resolve() == root / "deploy" / "prometheus" / "rules"
    assert (CHART / "files" / "dashboards").resolve() == root / "grafana" / "dashboards"
    assert not Path(CHART / "files" / "rules").readlink().is_absolute()
