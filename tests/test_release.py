"""A release: what is in it, under which licences, and that it runs where nothing else is installed."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import Found, all_commands
from tests.scripts import script

ROOT = Path(__file__).parents[1]
UV = script("uv")
LOCK = ROOT / "deploy" / "requirements.txt"
# Of these licences we may pass on what we install. LGPL: psycopg and crc32c, which are loaded and not changed.
ALLOWED = re.compile(
    r"(MIT(-0|-CMU)?|Apache-2\.0|BSD(-[23]-Clause)?|0BSD|ISC|PSF-2\.0|Python-2\.0|MPL-2\.0|Zlib|CC0-1\.0|Unlicense"
    r"|LGPL-3\.0-only|LGPL-2\.1-or-later|BSD-derived|BSL-1\.0|HPND)"
)
# What metadata calls by a name of its own.
NAMES = {
    "Apache Software License": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "BSD License": "BSD",
    "BSD": "BSD",
    "MIT License": "MIT",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.1-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Repoze Public License": "BSD-derived",  # venusian: the BSD licence, and no use of the name for advertising
}
# Licences of a package whose metadata offers several, or says it otherwise: what was read in its files.
READ = {
    "docutils": "BSD-2-Clause",  # the rest is in the public domain, or of tools that are not installed
}
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with sdist and wheel, made as `make release` makes them."""
    folder = tmp_path_factory.mktemp("dist")
    command = [UV, "build", "--quiet", "--no-build-isolation", "--out-dir", folder, ROOT]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def environment(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a new virtual environment with the wheel, and what is locked for it."""
    folder = tmp_path_factory.mktemp("empty") / "venv"
    [wheel] = dist.glob("*.whl")
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    locked = [UV, "pip", "sync", "--quiet", "--python", folder, "--require-hashes", LOCK]
    done = subprocess.run(locked, check=False, capture_output=True, text=True)
    if done.returncode and "error sending request" in done.stderr:
        pytest.skip("there is no package index to install from")
    assert done.returncode == 0, done.stderr
    ours = [UV, "pip", "install", "--quiet", "--python", folder, "--no-deps", "--offline", wheel]
    subprocess.run(ours, check=True)
    return folder


def test_the_source_has_what_a_user_needs_and_nothing_else(dist: Path) -> None:
    """No tests, no files of those who develop it, no dashboards."""
    [sdist] = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
    assert {name.partition("/")[0] for name in names if name} == {
        *("CHANGELOG.md", "LICENSE", "MANIFEST.in", "PKG-INFO", "README.md", "pyproject.toml", "setup.cfg", "setup.py"),
        *("connectors", "deploy", "streams", "flatline.egg-info"),
    }
    assert not [name for name in names if re.search(r"(^|/)(tests|demo|examples|native|helm)(/|$)", name)]
    assert {"streams/page/vendor/htmx.min.js", "deploy/prometheus/rules/workers.yml"} <= names


def test_the_wheel_has_what_the_packages_read(dist: Path) -> None:
    """It is made from the sdist, so that both have the same."""
    [wheel] = dist.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        "flatline/page/vendor/htmx.min.js",
        "flatline/domain/learned/model.json",
        "flatline_deploy/alertmanager/slack/words.tmpl",
        "flatline_deploy/systemd/hardening.conf",
    }
    assert wanted <= names
    assert not [name for name in names if re.search(r"(^|/)(tests|demo|examples|native|helm|compose)(/|$)", name)]


def test_the_version_is_that_of_the_tag(tmp_path: Path) -> None:
    """And later commits have a later one."""
    identity = {f"GIT_{who}_{what}": "a@b.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}

    def git(*arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True, capture_output=True, env=os.environ | identity)

    def version() -> str:
        done = subprocess.run([sys.executable, "-m", "setuptools_scm"], cwd=tmp_path, check=True, capture_output=True)
        return done.stdout.decode().strip()

    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    git("init", "--quiet")
    git("add", "pyproject.toml")
    git("commit", "--quiet", "--message", "x")
    git("tag", "v1.2.0")
    assert version() == "1.2.0"
    git("commit", "--quiet", "--allow-empty", "--message", "y")
    assert version() == "1.2.1.dev1"


def test_the_wheel_runs_where_nothing_else_is(environment: Path, tmp_path: Path) -> None:
    """`flatline doctor` checks the machine; without the core and without the packages of extras."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "FLATLINE_"))}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [environment / "bin" / "flatline", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=clean, check=False, capture_output=True, text=True)

    doctor = run("doctor", "--json")
    found = {each["what"]: each["sign"] for each in map(json.loads, doctor.stdout.splitlines())}
    assert doctor.returncode == int("wrong" in found.values())
    assert found["Python"] == "fine"
    assert doctor.stderr == ""
    assert run("--version").stdout.startswith("flatline ")
    fit = run("model", "fit", os.devnull, "-o", "model.json")
    assert (fit.returncode, "flatline[analysis]" in fit.stderr) == (1, True)


@pytest.fixture(scope="module")
def materials(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the bill of materials, as `make release` writes it; cyclonedx-py checks it by CycloneDX' schema."""
    file = tmp_path_factory.mktemp("materials") / "flatline.cdx.json"
    command = [script("cyclonedx-py"), "environment", "--output-reproducible", "--validate", "-o", file, environment]
    subprocess.run(command, check=True, capture_output=True)
    return dict(json.loads(file.read_text()))


def test_the_bill_of_materials_lists_what_is_locked(materials: dict[str, Any]) -> None:
    """Each package with its version; what is locked for other systems is not installed here."""
    locked = dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", LOCK.read_text(), re.MULTILINE))
    listed = {each["name"].lower().replace("_", "-"): each["version"] for each in materials["components"]}
    listed.pop("flatline")
    assert {name: version for name, version in listed.items() if locked[name] != version} == {}
    assert locked.keys() - listed.keys() <= {"colorama", "tzdata"}


def test_the_licences_are_allowed(materials: dict[str, Any]) -> None:
    """Each package has one, and all that it has are allowed; of an expression with OR one is enough."""
    refused = {}
    for each in materials["components"]:
        name = each["name"].lower()
        said = [READ[name]] if name in READ else [_words(licence) for licence in each.get("licenses", ())]
        if not said or not all(map(_is_allowed, said)):
            refused[name] = said
    assert refused == {}


def _words(licence: dict[str, Any]) -> str:
    told = licence.get("expression") or licence["license"].get("id") or licence["license"]["name"]
    told = told.rpartition(" :: ")[2]
    return NAMES.get(told, told)


def _is_allowed(expression: str) -> bool:
    choices = re.split(r"\s+OR\s+", expression.strip("()"))
    return any(all(ALLOWED.fullmatch(part.strip("() ")) for part in re.split(r"\s+AND\s+", each)) for each in choices)


@pytest.mark.parametrize("found", all_commands(), ids=lambda found: " ".join(found.words))
def test_each_command_explains_itself_in_full(found: Found) -> None:
    """What it does, and each argument and option with what it is for."""
    assert found.command.help
    for param in found.command.params:
        if param.name != "help":
            assert getattr(param, "help", None), (found.words, param.name)
