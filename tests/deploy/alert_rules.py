"""The alerting rules as they stand in the files, and what the project's own files say about them."""

from functools import cache
from typing import Any

import yaml

from flatline_deploy import DEPLOY

RULES = sorted((DEPLOY / "prometheus" / "rules").glob("*.yml"))
RULE_TESTS = sorted((DEPLOY / "prometheus" / "tests").glob("*.yml"))


@cache
def rules() -> list[dict[str, Any]]:
    """Return every rule of every file. The list is shared: read it, and change nothing in it."""
    return [rule for file in RULES for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]


def alerts() -> dict[str, dict[str, Any]]:
    """Return the alerting rules by name."""
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}
