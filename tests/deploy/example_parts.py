"""Alertmanager's configuration with the parts of an example in it, as the example tells operators to copy them."""

from pathlib import Path
from typing import Any

import yaml

from tests.deploy.alert_rules import DEPLOY

FOLDER = DEPLOY / "alertmanager"


def merge(configuration: dict[str, Any], example: str) -> None:
    """Copy the parts of an example to the places that their names say."""
    parts = yaml.safe_load((FOLDER / example).read_text())
    configuration["global"] |= parts.get("global", {})
    configuration["route"]["routes"][:0] = parts["route"]["routes"]
    configuration["receivers"] += parts["receivers"]


def write_whole(folder: Path, example: str) -> Path:
    """Write the project's configuration with the parts in it, and return the file."""
    configuration = yaml.safe_load((FOLDER / "alertmanager.yml").read_text())
    merge(configuration, example)
    configuration["templates"] = [f"{FOLDER}/slack/*.tmpl"]
    file = folder / "alertmanager.yml"
    file.write_text(yaml.safe_dump(configuration))
    return file
