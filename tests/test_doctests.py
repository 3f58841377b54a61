"""Every example in a docstring does what it shows."""

import doctest
import importlib
from pathlib import Path

import pytest

import flatline
import flatline_connectors

FOLDERS = {"flatline": Path(flatline.__file__).parent, "flatline_connectors": Path(flatline_connectors.__file__).parent}


def modules() -> list[str]:
    """Return the names of the modules with examples."""
    found = []
    for name, folder in FOLDERS.items():
        for path in sorted(folder.rglob("*.py")):
            if ">>> " in path.read_text():
                parts = path.relative_to(folder).with_suffix("").parts
                found.append(".".join((name, *(part for part in parts if part != "__init__"))))
    return found


@pytest.mark.parametrize("name", modules())
def test_examples(name: str) -> None:
    """As shown."""
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted
    assert not result.failed
