"""Carries out a Containerfile where no container engine is: a stage is a folder made by debootstrap, entered by chroot.

Of the file is read what ours uses: ARG, FROM, RUN, COPY, ENV, WORKDIR, USER, LABEL, HEALTHCHECK, ENTRYPOINT, CMD.
"""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

import dockerfile

# The authorities that this machine trusts, for pip and cargo in the chroot.
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
_DURING_BUILD = Path("run/authorities.pem")
_BUILD_STEP = """
mount -t proc proc "$0/proc"
mount --rbind /dev "$0/dev"
exec /usr/sbin/chroot --userspec="$1" "$0" /bin/sh -c "cd $2 && $3"
"""
# As `podman run --read-only --tmpfs /tmp --cap-drop all --security-opt no-new-privileges --network host`.
_CONTAINER = """
mount --bind "$0" "$0"
mount -o remount,ro,bind "$0"
mount -t proc proc "$0/proc"
mount --rbind /dev "$0/dev"
mount -t tmpfs tmpfs "$0/tmp"
mount --bind "$3" "$0$2"
exec setpriv --no-new-privs /usr/sbin/chroot --userspec="$1" "$0" /bin/sh -c 'cd "$0" && exec "$@"' "$2" "${@:4}"
"""


@dataclass
class Image:
    """A folder with a file system, and how a container of it is started."""

    root: Path
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    folder: str = "/"
    user: str = "0:0"
    labels: dict[str, str] = field(default_factory=dict)
    entry_point: list[str] = field(default_factory=list)
    health_check: list[str] = field(default_factory=list)

    def start(
        self, arguments: Sequence[str], *, data: Path, variables: Mapping[str, str], log: Path
    ) -> subprocess.Popen[bytes]:
        """Start a command of the image in a container that can write to /tmp and ``data`` only, as the image's user.

        It shares this machine's network, and its process is that of the command itself.
        """
        with log.open("ab") as output:
            return subprocess.Popen(
                _entering(_CONTAINER, self.root, self.user, self.folder, data, *arguments),
                env=self.environment | dict(variables),
                stdout=output,
                stderr=output,
            )

    def size_bytes(self) -> int:
        """Return how much room its files take."""
        return int(subprocess.run(["du", "-sb", self.root], check=True, capture_output=True).stdout.split()[0])


class Build:
    """Carries out a Containerfile, with ``base`` in the place of any image that it begins with."""

    def __init__(self, *, context: Path, base: Path, arguments: Mapping[str, str], scratch: Path) -> None:
        """``context``: what COPY copies from. ``arguments``: those of the build. ``scratch``: where stages are made."""
        self._context = context
        self._base = base
        self._arguments = arguments
        self._scratch = scratch
        self._stages: dict[str, Image] = {}
        self._given: dict[str, str] = {}
        self.image = Image(scratch)

    def carry_out(self, file: Path) -> Image:
        """Return the last stage."""
        for step in dockerfile.parse_file(str(file)):
            verb = getattr(self, f"_{step.cmd.lower()}", None)
            assert verb is not None, f"{file}: {step.cmd} is not carried out"
            verb(step, [Template(each).safe_substitute(self.image.environment | self._given) for each in step.value])
        (self.image.root / _DURING_BUILD).unlink()
        return self.image

    def _arg(self, _step: Any, value: Sequence[str]) -> None:
        name, _, default = value[0].partition("=")
        self._given[name] = self._arguments.get(name, self._given.get(name, default))

    def _from(self, _step: Any, value: Sequence[str]) -> None:
        self.image = Image(self._scratch / str(len(self._stages)))
        self._stages[value[-1]] = self.image
        subprocess.run(["cp", "-a", self._base, self.image.root], check=True)
        shutil.copy(_AUTHORITIES, self.image.root / _DURING_BUILD)

    def _run(self, step: Any, _value: Sequence[str]) -> None:
        image, [command] = self.image, step.value
        done = subprocess.run(
            _entering(_BUILD_STEP, image.root, image.user, image.folder, command),
            env=image.environment
            | self._given
            | dict.fromkeys(("PIP_CERT", "CARGO_HTTP_CAINFO"), f"/{_DURING_BUILD}")
            | {"DEBIAN_FRONTEND": "noninteractive"},
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"

    def _copy(self, step: Any, value: Sequence[str]) -> None:
        source = self._context
        for flag in step.flags:
            assert flag.startswith("--from="), flag
            source = self._stages[flag.removeprefix("--from=")].root
        *names, target = value
        place = self.image.root / (target if target.startswith("/") else f"{self.image.folder}/{target}").lstrip("/")
        for name in names:
            _copy(source / name.lstrip("/"), place, is_into=target.endswith("/"))

    def _env(self, _step: Any, value: Sequence[str]) -> None:
        self.image.environment |= _pairs(value)

    def _label(self, _step: Any, value: Sequence[str]) -> None:
        self.image.labels |= _pairs(value)

    def _workdir(self, _step: Any, value: Sequence[str]) -> None:
        self.image.folder = value[0]
        (self.image.root / value[0].lstrip("/")).mkdir(parents=True, exist_ok=True)

    def _user(self, _step: Any, value: Sequence[str]) -> None:
        self.image.user = value[0]

    def _healthcheck(self, _step: Any, value: Sequence[str]) -> None:
        self.image.health_check = list(value[1:])

    def _entrypoint(self, _step: Any, value: Sequence[str]) -> None:
        self.image.entry_point = list(value)

    def _cmd(self, _step: Any, value: Sequence[str]) -> None:
        """Every container here names its command."""


def _pairs(value: Sequence[str]) -> dict[str, str]:
    return {name: text.strip('"') for name, text in zip(value[::2], value[1::2], strict=True)}


def _entering(script: str, *arguments: object) -> list[str]:
    return ["unshare", "--mount", "/bin/bash", "-e", "-c", script, *map(str, arguments)]


def _copy(source: Path, place: Path, *, is_into: bool) -> None:
    if source.is_dir():
        shutil.copytree(source, place, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        return
    into = place / source.name if is_into else place
    into.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, into)
