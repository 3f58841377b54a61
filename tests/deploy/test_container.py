"""The image: its steps run in a chroot, and the result runs as a user without rights, on a read-only root."""

import os
import shutil
import signal
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flatline.local import probes
from flatline.local.ports import LOOPBACK, Ports
from tests.connectors.pushing import TOKEN
from tests.deploy.container import Build, Image
from tests.scripts import script
from tests.waiting import PATIENCE_S, until

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy" / "Containerfile"
# Kept from run to run: a Debian takes a minute to fetch.
BASE = ROOT / ".tools" / "debian" / "trixie"
# As Debian's slim images are set up: packages come without documentation, and are not kept.
SLIM = {
    "etc/dpkg/dpkg.cfg.d/slim": "path-exclude /usr/share/doc/*\npath-exclude /usr/share/man/*\n",
    "etc/apt/apt.conf.d/slim": """
Binary::apt::APT::Keep-Downloaded-Packages "false";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
""",
}
UNPACKED_BYTES_MAX = 300_000_000
ROLES = {"worker": ["worker"], "ingest": ["ingest"], "serve": ["serve"], "connect": ["connect", "run"]}
UID = 10_001


def test_the_linter_finds_nothing() -> None:
    """Hadolint's rules; what is ignored says why in the file."""
    done = subprocess.run([script("hadolint"), FILE], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_locked_requirements_are_those_that_were_tested() -> None:
    """Every package has a version of constraints.txt and hashes, and each dependency of ours is there."""
    tested = _pinned((ROOT / "constraints.txt").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    core = tomllib.loads((ROOT / "streams" / "native" / "pyproject.toml").read_text())
    for file, wanted in (
        ("requirements.txt", project["project"]["dependencies"]),
        ("requirements-build.txt", project["build-system"]["requires"] + core["build-system"]["requires"]),
    ):
        text = (ROOT / "deploy" / file).read_text()
        locked = _pinned(text)
        assert text.count("--hash=sha256:") >= len(locked)
        assert {name: version for name, version in locked.items() if tested.get(name, version) != version} == {}
        assert {_name(each) for each in wanted} <= locked.keys()


def _pinned(text: str) -> dict[str, str]:
    lines = (line.split(";")[0].strip(" \\") for line in text.splitlines() if "==" in line and not line.startswith("#"))
    return {_name(name): version for name, _, version in (line.partition("==") for line in lines)}


def _name(requirement: str) -> str:
    name = "".join(character if character.isalnum() or character in "-_." else " " for character in requirement)
    return name.split()[0].lower().replace("_", "-").replace(".", "-")


@pytest.fixture(scope="module")
def base() -> Path:
    """Return the folder of a small Debian, as the image's base has it."""
    if os.environ.get("IMAGE") != "build":
        pytest.skip("building the image takes minutes: run `make deploy-check`")
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        pytest.skip("a chroot needs root and debootstrap")
    if not BASE.exists():
        unfinished = BASE.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        command = ["debootstrap", "--variant=minbase", BASE.name, unfinished]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"debootstrap can't make a {BASE.name}: {done.stdout[-300:]}")
        for file, text in SLIM.items():
            (unfinished / file).write_text(text)
        unfinished.rename(BASE)
    return BASE


@pytest.fixture(scope="module")
def image(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """Return the image."""
    scratch = tmp_path_factory.mktemp("image")
    yield Build(context=ROOT, base=base, arguments={"VERSION": "1.2.3"}, scratch=scratch).carry_out(FILE)
    shutil.rmtree(scratch)


class Containers:
    """Containers of the image, which share a Kafka."""

    def __init__(self, image: Image, folder: Path, bootstrap: str, namespace: str) -> None:
        self._image = image
        ports = Ports(folder / "ports.json")
        self.ports = {role: ports.claim(role) for role in ROLES}
        self._data = folder / "data"
        self._data.mkdir()
        tokens, connectors = self._data / "tokens", self._data / "connectors.toml"
        tokens.write_text(f"crawler:{TOKEN}\n")
        tokens.chmod(0o600)
        (self._data / "links").mkdir()
        connectors.write_text('[links]\nkind = "folder"\nfolder = "links"\n')
        for path in (self._data, *self._data.iterdir()):
            os.chown(path, UID, UID)
        self._settings = {
            "FLATLINE_KAFKA_BOOTSTRAP": bootstrap,
            "FLATLINE_NAMESPACE": namespace,
            "FLATLINE_INGEST_TOKENS_FILE": f"{image.folder}/{tokens.name}",
            "FLATLINE_CONNECTORS_FILE": f"{image.folder}/{connectors.name}",
            **{f"FLATLINE_{role.upper()}_PORT": str(port) for role, port in self.ports.items()},
            "FLATLINE_CORE": "native",  # or it does not start
        }
        self.log = folder / "log"

    def run(self, *arguments: str) -> int:
        """Run a command to its end, and return its exit code."""
        return self.start(*arguments).wait(PATIENCE_S)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command."""
        return self._image.start(arguments, data=self._data, variables=self._settings, log=self.log)

    @contextmanager
    def running(self, role: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a process of Flatline for the block; it ends by SIGTERM, as it should."""
        process = self.start(*self._image.entry_point, *ROLES[role])
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_S)
        finally:
            process.kill()
            process.wait()


@pytest.mark.servers
@pytest.mark.long
def test_the_image_runs_everything(image: Image, kafka_bootstrap: str, namespace: str, tmp_path: Path) -> None:
    """Each process gets ready on a read-only root and ends when told to; the image's health check says so each time."""
    containers = Containers(image, tmp_path, kafka_bootstrap, namespace)
    assert containers.run(*image.entry_point, "topics", "create") == 0, containers.log.read_text()
    for role in ROLES:
        assert containers.run(*image.health_check) == 1  # nothing listens
        with containers.running(role) as process:
            address = f"{LOOPBACK}:{containers.ports[role]}"

            def is_ready(process: subprocess.Popen[bytes] = process, address: str = address) -> bool:
                assert process.poll() is None, containers.log.read_text()
                return probes.answers_ok(address, "/readyz")

            until(f"{role} is ready", is_ready)
            assert containers.run(*image.health_check) == 0
            status = dict(line.split(":\t", 1) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines())
            assert status["Uid"].split() == [str(UID)] * 4
            assert (int(status["CapEff"], 16), status["NoNewPrivs"]) == (0, "1")
        assert process.returncode == 0, containers.log.read_text()
    assert "Traceback" not in containers.log.read_text()


@pytest.mark.servers
@pytest.mark.long
def test_the_image_is_small_and_closed(image: Image, base: Path, kafka_bootstrap: str, tmp_path: Path) -> None:
    """Its root can't be written to, it holds no build tools, and beside its base it takes less than 300 MB."""
    containers = Containers(image, tmp_path, kafka_bootstrap, "unused")
    assert containers.run("touch", "/opt/flatline/x") == 1
    assert containers.run("touch", "/tmp/x", "./x") == 0
    assert containers.run("python", "-c", "import pip") == 1
    assert containers.run("git", "--version") == 0
    assert containers.run(*image.entry_point, "--version") == 0
    assert "flatline 1.2.3" in containers.log.read_text()
    assert image.size_bytes() - Image(base).size_bytes() < UNPACKED_BYTES_MAX
    assert image.labels["org.opencontainers.image.version"] == "1.2.3"
