"""The chart as real Helm renders it."""

import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

CHART = Path(__file__).parents[2] / "deploy" / "helm" / "flatline"
HELM = CHART.parents[2] / ".tools" / "bin" / "helm"
RELEASE = "links"
KUBERNETES = "1.34.0"
Objects = dict[tuple[str, str], dict[str, Any]]

needs_helm = pytest.mark.skipif(not HELM.exists(), reason="helm is not built: run `make deploy-check`, with Go 1.24")


@cache
def rendered(*values: Path) -> Objects:
    """Return the objects of a release, by kind and name. Values files come after those that each release needs."""
    objects = [each for each in yaml.safe_load_all(_template(*values, expected=0).stdout) if each]
    by_name = {(each["kind"], each["metadata"]["name"]): each for each in objects}
    assert len(by_name) == len(objects), "two objects have one name"
    return by_name


def refused(values: Path) -> str:
    """Return what Helm says of values that it does not render."""
    return _template(values, expected=1).stderr


def notes(folder: Path, *values: Path) -> str:
    """Return what is shown after an installation. Helm shows it in a cluster only: a copy renders it as an object."""
    copy = folder / "flatline"
    shutil.copytree(CHART, copy)
    (copy / "templates" / "NOTES.txt").rename(copy / "NOTES.txt")
    shown = '{metadata: {name: notes}, kind: Notes, text: {{ tpl (.Files.Get "NOTES.txt") . | quote }}}'
    (copy / "templates" / "notes.yaml").write_text(shown)
    objects = yaml.safe_load_all(_template(*values, expected=0, chart=copy).stdout)
    return str(next(each["text"] for each in objects if each and each["kind"] == "Notes"))


def _template(*values: Path, expected: int, chart: Path = CHART) -> subprocess.CompletedProcess[str]:
    command = [HELM, "template", RELEASE, chart, f"--kube-version={KUBERNETES}", *_options(values)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == expected, done.stderr + done.stdout
    return done


def _options(values: tuple[Path, ...]) -> list[str]:
    return [f"--values={file}" for file in (CHART / "ci" / "minimal.yaml", *values)]


def pod_of(objects: Objects, role: str) -> dict[str, Any]:
    """Return the specification of a role's pods."""
    kind = {"worker": "StatefulSet", "topics": "Job"}.get(role, "Deployment")
    return dict(objects[kind, f"{RELEASE}-{role}"]["spec"]["template"]["spec"])


def environment_of(pod: dict[str, Any]) -> dict[str, str | None]:
    """Return the variables of a pod; None is known only in the cluster."""
    names = [each["name"] for each in pod["containers"][0]["env"]]
    assert len(set(names)) == len(names)
    return {each["name"]: each.get("value") for each in pod["containers"][0]["env"]}
