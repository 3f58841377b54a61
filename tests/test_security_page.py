"""SECURITY.md promises nothing without a test that exists."""

import ast
import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
ROWS: Final = re.findall(
    r"^\| what holds \| shown by \|\n\|---\|---\|\n((?:\|.*\n)+)", (ROOT / "SECURITY.md").read_text(), re.MULTILINE
)
PROMISES: Final = [row.strip("| ").split(" | ") for table in ROWS for row in table.splitlines()]


def test_all_promises_are_looked_at() -> None:
    """One table in each of the six parts that promise something."""
    assert len(ROWS) == 6


@pytest.mark.parametrize(("promise", "shown_by"), PROMISES)
def test_a_promise_names_tests_that_exist(promise: str, shown_by: str) -> None:
    """At least one, by its file and its name."""
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", shown_by)
    assert ", ".join(f"`{file}::{name}`" for file, name in named) == shown_by
    for file, name in named:
        functions = ast.walk(ast.parse((ROOT / file).read_text()))
        tests = {each.name for each in functions if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert name in tests, f"{promise}: {file} has no test {name}"
