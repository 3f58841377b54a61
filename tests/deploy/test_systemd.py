"""The units for machines without Kubernetes, held by systemd's own tools."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from dotenv import dotenv_values

from flatline.settings import PREFIX, Settings
from tests.cli.commands import all_commands
from tests.deploy.alert_rules import DEPLOY

SOURCE = DEPLOY / "systemd"
UNITS = sorted(SOURCE.glob("*.service"))
EXPOSURE_MAX = 3.0
KNOWN = {PREFIX + name.upper() for name in Settings.model_fields}

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a root folder with systemd's own units and ours, as the README says to install them."""
    services = tmp_path / "etc" / "systemd" / "system"
    shared = services / "flatline-.service.d"
    shared.mkdir(parents=True)
    (tmp_path / "usr" / "lib").mkdir(parents=True)
    (tmp_path / "usr" / "lib" / "systemd").symlink_to("/usr/lib/systemd")
    (tmp_path / "lib").symlink_to("usr/lib")
    shutil.copy(SOURCE / "hardening.conf", shared)
    for unit in UNITS:
        shutil.copy(unit, services)
    command = tmp_path / "opt" / "flatline" / "bin" / "flatline"
    command.parent.mkdir(parents=True)
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    settings = tmp_path / "etc" / "flatline" / "flatline.env"
    settings.parent.mkdir()
    shutil.copy(SOURCE / "flatline.env", settings)
    return tmp_path


def _analyze(root: Path, verb: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", verb, f"--root={root}", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def _instance(unit: Path) -> str:
    return unit.name.replace("@.", "@8711.")


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_accepts_the_unit(unit: Path, root: Path) -> None:
    """No unknown setting, no missing command."""
    done = _analyze(root, "verify", _instance(unit))
    assert (done.returncode, [line for line in done.stderr.splitlines() if "flatline" in line]) == (0, [])


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_the_service_may_do_little(unit: Path, root: Path) -> None:
    """By systemd's own count: 0 is a service that can do nothing, 10 one that can do everything."""
    said = _analyze(root, "security", "--offline=true", "--no-pager", _instance(unit)).stdout
    [exposure] = re.findall(r"Overall exposure level for \S+: ([\d.]+)", said)
    assert float(exposure) <= EXPOSURE_MAX


def test_there_is_a_unit_for_each_process() -> None:
    """Each starts one command, which exists, and each setting in it is one that Flatline knows."""
    started = set()
    for unit in UNITS:
        text = unit.read_text()
        [command] = re.findall(r"^ExecStart=/opt/flatline/bin/flatline (.+)$", text, re.MULTILINE)
        started.add(command)
        assert set(re.findall(rf"\b{PREFIX}\w+(?==)", text)) <= KNOWN
    commands = {" ".join(found.words) for found in all_commands()}
    assert started == {"worker", "ingest", "serve", "connect run"}
    assert started <= commands


def test_the_settings_are_known_and_fit_together(tmp_path: Path) -> None:
    """Those that are in use, and those that only wait for their `#` to be removed."""
    text = (SOURCE / "flatline.env").read_text()
    whole = tmp_path / "whole.env"
    whole.write_text(re.sub(rf"^#({PREFIX})", r"\1", text, flags=re.MULTILINE))
    for file in (SOURCE / "flatline.env", whole):
        values = {name: str(value) for name, value in dotenv_values(file).items()}
        assert values.keys() <= KNOWN
        assert all(shlex.split(value) == [value] for value in values.values())  # systemd and shells read them alike
        Settings(**{name.removeprefix(PREFIX).lower(): value for name, value in values.items()})  # type: ignore[arg-type]
