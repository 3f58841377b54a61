"""`flatline topics acls`, with a Kafka that forbids whatever is not allowed: all of it is needed, and nothing else."""

import os
import re
import shlex
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import orjson
import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
)

from flatline.kafka.cluster import KafkaCluster
from flatline.kafka.permissions import Role, permissions
from flatline.kafka.permitted import not_permitted
from flatline.kafka.security import Security
from flatline.local.ports import Ports
from flatline.local.supervisor import Supervisor
from flatline.schema.topics import Topics
from tests.connectors.pushing import SOURCE, running_ingest
from tests.connectors.runtime.test_connect import running as connect_running
from tests.integration.running import Installation
from tests.kafka.events import line_of
from tests.kafka.secured import SecuredKafka
from tests.kafka.test_secured import run
from tests.waiting import PATIENCE_S, until

pytestmark = pytest.mark.servers

NAMESPACE = "acls"
TOPICS = Topics(namespace=NAMESPACE, partitions=1)
USERS = {role: f"{NAMESPACE}-{role}" for role in Role}
IMPORTED, PUSHED = "https://imported.example/a", "https://pushed.example/b"
DROPPED = "https://dropped.example/d"
MOVED, HERE = "https://moved.example/c", "https://here.example/e"  # of different partitions, of two
# Removals and moves are decided after a look at what there is: somebody who has two roles.
EDITOR = f"{NAMESPACE}-editor"
EDITING = {Role.READ_MODEL: (EDITOR,), Role.CONNECTORS: (EDITOR,)}
# What the test may not come to: brokers are asked where there are several replicas, `articles fetch` needs a site, a
# copying is begun anew only if it was interrupted, and few articles make no group that is judged. `flatline serve`
# announces itself, and takes marks, snoozes and annotations: it runs in the test of `flatline up --secured`. The
# connector here finds links alone, and too few to be an import.
UNUSED = {
    f"{USERS[Role.WORKER]}: DESCRIBE_CONFIGS kafka-cluster",
    f"{USERS[Role.WORKER]}: WRITE {TOPICS.groups.name}",
    f"{USERS[Role.CONNECT]}: READ {TOPICS.articles.name}",
    f"{USERS[Role.CONNECT]}: READ {TOPICS.removals.name}",
    f"{USERS[Role.CONNECT]}: READ {TOPICS.moves.name}",
    f"{USERS[Role.CONNECT]}: WRITE {TOPICS.articles.name}",
    f"{USERS[Role.CONNECT]}: WRITE {TOPICS.visits.name}",
    f"{USERS[Role.CONNECT]}: WRITE {TOPICS.heartbeats.name}",
    f"{USERS[Role.CONNECTORS]}: WRITE {TOPICS.alert_marks.name}",
    f"{USERS[Role.CONNECTORS]}: WRITE {TOPICS.snoozes.name}",
    f"{USERS[Role.CONNECTORS]}: WRITE {TOPICS.annotations.name}",
    f"{USERS[Role.READ_MODEL]}: READ {TOPICS.snoozes.name}",
    f"{USERS[Role.READ_MODEL]}: READ {TOPICS.annotations.name}",
    f"{USERS[Role.READ_MODEL]}: READ {TOPICS.removals.name}",
    f"{USERS[Role.WORKER]}: WRITE {TOPICS.imports.name}",
    f"{USERS[Role.WORKER]}: WRITE {TOPICS.import_parts.name}",
    f"{USERS[Role.READ_MODEL]}: READ {TOPICS.imports.name}",
    f"{USERS[Role.READ_MODEL]}: READ {TOPICS.alert_marks.name}",
    f"{USERS[Role.READ_MODEL]}: WRITE {TOPICS.instances.name}",
    f"{USERS[Role.READ_MODEL]}: READ {TOPICS.groups.name}",
    f"{USERS[Role.OPERATOR]}: DESCRIBE_CONFIGS kafka-cluster",
    f"{USERS[Role.OPERATOR]}: DELETE {NAMESPACE}.follow",
}
# With several replicas one permission more is needed.
OF_SEVERAL_BROKERS = os.environ | {"FLATLINE_NAMESPACE": NAMESPACE, "FLATLINE_REPLICATION_FACTOR": "3"}
# A command of each role.
COMMANDS = {
    Role.WORKER: "worker",
    Role.INGEST: "ingest --no-auth",
    Role.CONNECTORS: "links import -",
    Role.CONNECT: "connect state show files",
    Role.READ_MODEL: "articles list",
    Role.OPERATOR: "topics create",
}


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    """Run one in which each role has a user, who may do what is printed."""
    folder = tmp_path_factory.mktemp("acls")
    with Supervisor(folder / "logs", say=print) as supervisor:
        kafka = SecuredKafka(
            folder, Ports(folder / "ports.json"), users=("admin", *USERS.values(), EDITOR), is_open=False
        )
        supervisor.start(kafka.process())
        with KafkaAdminClient(bootstrap_servers=kafka.bootstrap) as admin:
            admin.create_acls([acl for role in Role for acl in printed(role)])
            admin.create_acls([of_editor(acl) for role in EDITING for acl in printed(role)])
        yield kafka


def printed(role: Role) -> list[ACL]:
    """Return what the command prints for a role, as the cluster wants it."""
    done = run("topics", "acls", role, "--json", **OF_SEVERAL_BROKERS)
    assert done.returncode == 0, done.stderr
    return [
        ACL(
            principal=entry["principal"],
            host="*",
            operation=ACLOperation[re.sub(r"(?<!^)(?=[A-Z])", "_", entry["operation"]).upper()],
            permission_type=ACLPermissionType.ALLOW,
            resource_pattern=ResourcePattern(
                ResourceType[entry["resource"].replace("-", "_").upper()],
                entry["name"],
                ACLResourcePatternType[entry["pattern"].upper()],
            ),
        )
        for entry in map(orjson.loads, done.stdout.splitlines())
    ]


def of_editor(acl: ACL) -> ACL:
    """Return the same for the editor."""
    return ACL(f"User:{EDITOR}", acl.host, acl.operation, acl.permission_type, acl.resource_pattern)


def settings_of(kafka: SecuredKafka, user: str) -> dict[str, str]:
    """Return the settings of a user's process."""
    return {
        **kafka.by_password(user),
        "FLATLINE_NAMESPACE": NAMESPACE,
        "FLATLINE_PARTITIONS": "1",
    }


def cluster_of(kafka: SecuredKafka, role: Role) -> KafkaCluster:
    """Return the cluster as one who has that role sees it."""
    security = Security(
        protocol="SASL_SSL", username=USERS[role], password_file=kafka.password_file, ca_file=kafka.authority.file
    )
    return KafkaCluster(kafka.by_password(USERS[role])["FLATLINE_KAFKA_BOOTSTRAP"], security)


@contextmanager
def missing_to(kafka: SecuredKafka, role: Role, topics: Topics = TOPICS) -> Iterator[Callable[[], list[str]]]:
    """Yield what says what a role lacks, at any time within the block."""
    with cluster_of(kafka, role).admin() as admin:
        yield lambda: list(map(str, not_permitted(admin, permissions(role, topics))))


@contextmanager
def without(kafka: SecuredKafka, acl: ACL) -> Iterator[None]:
    """Take a permission away for the block."""
    with KafkaAdminClient(bootstrap_servers=kafka.bootstrap) as admin:
        admin.delete_acls([acl])
        try:
            yield
        finally:
            admin.create_acls([acl])


def test_with_what_is_printed_everything_works(kafka: SecuredKafka, tmp_path: Path) -> None:
    """From topics to verdicts, to another number of partitions, and to an erasure, each as the user with that role.

    Each permission is used by somebody, but for a few that this history has no need of.
    """
    as_user = {user: settings_of(kafka, user) for user in (*USERS.values(), EDITOR)}

    def done(user: str, command: str, *, stdin: bytes = b"", **others: str) -> str:
        environment = os.environ | as_user[user] | {"FLATLINE_DATA_DIR": str(tmp_path), **others}
        ended = run(*command.split(), stdin=stdin, **environment)
        assert ended.returncode == 0, (user, command, ended.stderr.decode())
        return ended.stdout.decode()

    operator, connectors, reader = USERS[Role.OPERATOR], USERS[Role.CONNECTORS], USERS[Role.READ_MODEL]
    done(operator, "topics create")
    done(operator, "topics alter", FLATLINE_RETENTION_DAYS="1000")
    done(operator, "topics alter")
    done(connectors, "links import -", stdin=line_of(IMPORTED))
    own = as_user[USERS[Role.WORKER]]
    worker = Installation(own["FLATLINE_KAFKA_BOOTSTRAP"], NAMESPACE, tmp_path, **own)
    try:
        worker.start(1)
        worker.wait_ready(1)
        for command in ("state rebuild", "state rebuild", "topics repartition 2"):
            done(operator, command)
            worker.wait_ready(1)
        done(connectors, "links import -", stdin=line_of(MOVED) + b"\nnot a link\n")
        done(connectors, f"articles add {IMPORTED} --series a-series")
        done(connectors, "sites add imported.example")
        done(connectors, "visits import -", stdin=visits_of(IMPORTED))
        with running_ingest(os.environ | as_user[USERS[Role.INGEST]], TOPICS, tmp_path) as ingest:
            assert ingest.push(line_of(PUSHED)).status == 200
            assert ingest.push(visits_of(PUSHED), path="/v1/visits").status == 200
            heartbeat = orjson.dumps({"source": SOURCE, "seen_until": "2026-01-31T09:30:00Z"})
            assert ingest.push(heartbeat, path="/v1/heartbeats").status == 200

            def listed() -> set[str]:
                lines = done(reader, "articles list --json --wait 60").splitlines()
                return {orjson.loads(line)["article"] for line in lines}

            with connector_of(DROPPED, tmp_path, as_user[USERS[Role.CONNECT]]):
                until("all articles have verdicts", lambda: listed() == {IMPORTED, PUSHED, MOVED, DROPPED})
            for command in (f"sites move {MOVED} {HERE} --yes", f"articles remove {PUSHED} --yes"):
                done(EDITOR, command)
            until("one has moved and one is removed", lambda: listed() == {IMPORTED, HERE, DROPPED})
            for command in (f"articles show {IMPORTED}", f"explain {IMPORTED}", "groups list", "cohorts list"):
                done(reader, command)
            for command in ("publications list", "sites list", "sites moves", "state show", "instances list"):
                done(reader, command)
            send_to_former_topics(kafka)
            until("the rest is used", lambda: needed_by_nobody(kafka) <= UNUSED)
        worker.kill(1, signal.SIGTERM)
        done(operator, f"instances forget 127.0.0.1:{ingest.port}")  # it was killed
        assert "Erased:" in done(operator, "erase --domain imported.example --yes")
    finally:
        worker.close()


@contextmanager
def connector_of(article: str, folder: Path, settings: dict[str, str]) -> Iterator[None]:
    """Run a connector that finds a link to an article."""
    (folder / "drop").mkdir()
    (folder / "drop" / "links.ndjson").write_bytes(line_of(article))
    os.utime(folder / "drop" / "links.ndjson", (1, 1))
    file = folder / "connectors.toml"
    file.write_text('[files]\nkind = "folder"\nfolder = "drop"\n')
    port = Ports(folder / "connect-ports.json").claim("connect")
    own = {"FLATLINE_DATA_DIR": str(folder), "FLATLINE_CONNECTORS_FILE": str(file)}
    with connect_running(os.environ | settings | own, folder, port) as process:
        yield
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0


def visits_of(article: str) -> bytes:
    """Return a record of visits."""
    return orjson.dumps({"url": article, "domain": "elsewhere.example", "day": "2026-01-31", "visits": 3})


def send_to_former_topics(kafka: SecuredKafka) -> None:
    """Send something as a producer does that has not heard of the other number of partitions."""
    with closing(KafkaProducer(bootstrap_servers=kafka.bootstrap)) as producer:
        for topic in (TOPICS.links, TOPICS.articles, TOPICS.visits, TOPICS.removals):
            producer.send(topic.name, b"{}", key=b"a").get(PATIENCE_S)


# The authorizer names the entry that allowed something. What an entry implies beside its operation does not count.
_USED = re.compile(
    r"Principal = User:(\S+) is Allowed operation = (\S+) .*"
    r"resourceName=([^,]+), patternType=[^,]+, principal=[^,]+, host=[^,]+, operation=\2,"
)


def needed_by_nobody(kafka: SecuredKafka) -> set[str]:
    """Return what is printed and was not used by the one for whom it is."""
    used = {match.groups() for match in map(_USED.search, kafka.authorizations.read_text().splitlines()) if match}
    return {
        f"{USERS[role]}: {acl.operation.name} {acl.resource_pattern.resource_name}"
        for role in Role
        for acl in printed(role)
        if not any(
            (user, acl.operation.name, acl.resource_pattern.resource_name) in used
            for user in (USERS[role], *EDITING.get(role, ()))
        )
    }


@pytest.mark.parametrize("role", Role)
def test_each_permission_that_is_missing_is_named(kafka: SecuredKafka, role: Role) -> None:
    """One after the other is taken away: that one is named, and no other."""
    topics = Topics(namespace=NAMESPACE, partitions=1, replication_factor=3)
    with missing_to(kafka, role, topics) as missing:
        until("all is allowed", lambda: missing() == [])
        for acl in printed(role):
            with without(kafka, acl):
                until(f"{acl} is missed", lambda: missing() != [])
                [named] = missing()
            assert named.endswith(f" {acl.resource_pattern.resource_name}".replace(" kafka-", " ")), acl
            assert named.split()[0].lower() == acl.operation.name.replace("_", "").lower(), acl
            until("all is allowed again", lambda: missing() == [])


@pytest.mark.parametrize("role", Role)
def test_a_process_that_lacks_a_permission_ends_at_once(kafka: SecuredKafka, tmp_path: Path, role: Role) -> None:
    """With exit code 1, what is missing, and how to get it; whoever may do nothing is told all of it."""
    acls = printed(role)
    with missing_to(kafka, role) as missing, without(kafka, acls[0]):
        until("it is missed", lambda: missing() != [])
        environment = os.environ | settings_of(kafka, USERS[role]) | {"FLATLINE_DATA_DIR": str(tmp_path)}
        done = run(*COMMANDS[role].split(), stdin=line_of(IMPORTED), **environment)
    said = (done.stdout + done.stderr).decode()
    assert (done.returncode, "Traceback" in said) == (1, False), said
    assert acls[0].resource_pattern.resource_name in said
    assert f"flatline topics acls {role}" in " ".join(said.split())


def test_a_permission_is_taken_from_a_running_worker(kafka: SecuredKafka, tmp_path: Path) -> None:
    """Without heartbeats it goes on, and asks for them with pauses. Without its changelog it ends.

    At its next start it says what it lacks; given that back, it goes on where it was.
    """
    own, article = settings_of(kafka, USERS[Role.WORKER]), "https://taken.example/a"

    def done(role: Role, command: str, *, stdin: bytes = b"") -> str:
        environment = os.environ | settings_of(kafka, USERS[role]) | {"FLATLINE_DATA_DIR": str(tmp_path)}
        ended = run(*command.split(), stdin=stdin, **environment)
        assert ended.returncode == 0, ended.stderr.decode()
        return ended.stdout.decode()

    done(Role.OPERATOR, "topics create")
    of_topics = [acl for acl in printed(Role.WORKER) if acl.resource_pattern.resource_type is ResourceType.TOPIC]
    by_name = {(acl.operation, acl.resource_pattern.resource_name): acl for acl in of_topics}
    with closing(Installation(own["FLATLINE_KAFKA_BOOTSTRAP"], NAMESPACE, tmp_path, **own)) as worker:
        worker.start(1)
        worker.wait_ready(1)
        heartbeats, refused = TOPICS.heartbeats.name, f"{TOPICS.heartbeats.name} can't be read, trying again"
        with without(kafka, by_name[ACLOperation.READ, heartbeats]):
            until("it is said twice", lambda: worker.log(1).count(refused) >= 2)
            assert worker.log(1).count(heartbeats) < 100
            assert worker.is_ready(1)
        with without(kafka, by_name[ACLOperation.WRITE, TOPICS.changelog.name]):
            done(Role.CONNECTORS, "links import -", stdin=line_of(article))
            assert worker.wait_ended(1) != 0
            worker.start(1)
            assert worker.wait_ended(1) == 1
            assert f"Write on topics that begin with {TOPICS.changelog.name}\n" in worker.log(1)
        worker.start(1)
        worker.wait_ready(1)
        until("its article is judged", lambda: article in done(Role.READ_MODEL, "articles list --json --wait 60"))


def test_what_is_printed_are_commands() -> None:
    """Each line is one command; together they name as much as the JSON has."""
    lines = run("topics", "acls", **OF_SEVERAL_BROKERS).stdout.decode().splitlines()
    assert {shlex.split(line)[0] for line in lines} == {"kafka-acls.sh"}
    assert len(lines) == sum(len(printed(role)) for role in Role)
