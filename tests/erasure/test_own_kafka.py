"""Of `flatline up`, which is stopped for an erasure, the Kafka runs while that takes."""

import os
import subprocess
from pathlib import Path

import pytest

from flatline.local.lock import sole_use_of
from tests.scripts import FLATLINE
from tests.waiting import PATIENCE_S


@pytest.mark.servers
def test_it_is_started(tmp_path: Path) -> None:
    """With its records. While `flatline up` runs, that is said."""
    (tmp_path / "kafka").mkdir()
    with sole_use_of(tmp_path):
        assert "is in use by process" in _erase(tmp_path).stderr
    assert "0 records mention it." in _erase(tmp_path).stdout
    assert "Erased: none of" in _erase(tmp_path, "--yes").stdout
    assert list((tmp_path / "kafka").iterdir())


def _erase(folder: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [FLATLINE, "erase", "--domain", "elsewhere.example", "--data-dir", str(folder), *more],
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
