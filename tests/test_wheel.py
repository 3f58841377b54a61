"""What is installed: packages under names of our own, with all that they need, and nothing that needs a checkout."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a wheel that was built from a copy of the checkout's files."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("streams", "connectors", "deploy"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), str(source)]
    subprocess.run(build, check=True, capture_output=True)
    [path] = folder.glob("*.whl")
    return path


def test_its_names_are_ours(wheel: Path) -> None:
    """It puts no `streams` or `deploy` into anybody's environment, and leaves the demo and the dashboards' code out."""
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].partition("-")[0] for name in names} == {
        "flatline",
        "flatline_connectors",
        "flatline_deploy",
    }
    assert not [name for name in names if name.startswith(("flatline/demo/", "flatline_deploy/demo/"))]


def test_it_works_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    """Unpacked elsewhere it judges, prints its help and its policy, and has the files that it starts servers with."""
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path)
    script = f"""
import sys
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in repr(finder).lower()]
sys.path.insert(0, {str(tmp_path)!r})
import flatline, flatline_deploy
from datetime import UTC, datetime
assert flatline.__file__.startswith({str(tmp_path)!r}), flatline.__file__
seen = flatline.LinkEvent("https://a.example/", "https://yours.example/", observed_at=datetime(2026, 1, 31, tzinfo=UTC))
[article] = flatline.fold([seen]).values()
assert flatline.judge(article, now=datetime(2026, 2, 1, tzinfo=UTC)).state == "new"
assert (flatline_deploy.DEPLOY / "prometheus" / "rules" / "articles.yml").is_file()
assert (flatline_deploy.DEPLOY / "kafka" / "log4j2.properties").is_file()
from flatline.cli import main
sys.argv = ["flatline", *sys.argv[1:]]
main()
"""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", script, *arguments]
        return subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)

    assert "Usage" in run("--help").stdout
    demo = run("demo")
    assert (demo.returncode, demo.stdout) == (1, "")
    assert "checkout" in demo.stderr
    assert "Traceback" not in demo.stderr
