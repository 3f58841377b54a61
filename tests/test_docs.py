"""The documents name what exists, and say it once."""

import importlib
import re
import subprocess
from pathlib import Path

import pytest

from flatline.schema.rejection import Reason
from flatline.schema.topics import Topics
from flatline.schema.verdict import State
from flatline.settings import PREFIX, Settings
from flatline_connectors.sending import heartbeats

ROOT = Path(__file__).parents[1]
_LISTED = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
PAGES = [ROOT / name for name in _LISTED.split()]
README = (ROOT / "README.md").read_text()
SETTINGS = (ROOT / "streams" / "SETTINGS.md").read_text()
# The extension has settings of its own, which are Scrapy's and no variables.
_SPIDER = (ROOT / "connectors" / "scrapy_extension" / "extension.py").read_text()
SPIDER_SETTINGS = set(re.findall(rf'"({PREFIX}[A-Z_]+)"', _SPIDER))
FORMATS = (ROOT / "streams" / "FORMATS.md").read_text()
CONTRACT = (ROOT / "streams" / "schema" / "README.md").read_text()
PUSHING = (ROOT / "connectors" / "ingest" / "README.md").read_text()


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_has_one_row(name: str) -> None:
    """It is on the settings' page, with its default and what it means, and in no table of another page."""
    field = Settings.model_fields[name]
    default = "" if field.default is None else f"`{field.default}`"
    variable = f"{PREFIX}{name.upper()}"
    assert f"| `{variable}` | {default} | {field.description} |" in SETTINGS
    rows = [page for page in PAGES for _ in re.findall(rf"^\| `{variable}` \|", page.read_text(), re.MULTILINE)]
    assert [str(page.relative_to(ROOT)) for page in rows] == ["streams/SETTINGS.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_settings_that_a_page_names_exist(page: Path) -> None:
    """A variable that is misspelt does nothing. `FLATLINE_…_` may stand for several; tests have some of their own."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | {"FLATLINE_DASHBOARDS"} | SPIDER_SETTINGS
    if page.name != "CHANGELOG.md":
        named = set(re.findall(rf"\b{PREFIX}[A-Z0-9_]+[A-Z0-9]\b", page.read_text()))
        assert {name for name in named if not name.startswith("FLATLINE_HISTORY_TEST")} <= known


def test_the_heartbeat_in_the_documents_is_taken() -> None:
    """Whoever copies it gets no rejection."""
    [body] = re.findall(r"`POST /v1/heartbeats` and `(.*?)`", PUSHING)
    prepared = heartbeats.prepare(body.encode(), default_source="x", now_ms=2**42, period_of=lambda _: 1.0)
    assert prepared.record.period_s == 3600


def test_the_contract_names_every_reason_and_topic() -> None:
    """The contract's tables have each reason and each topic that a producer or reader meets."""
    assert set(re.findall(r"^\| `([a-z_]+)` \|", CONTRACT, re.MULTILINE)) >= {reason.value for reason in Reason}
    topics = Topics()
    met = (
        topics.links,
        topics.articles,
        topics.visits,
        topics.heartbeats,
        topics.verdicts,
        topics.groups,
        topics.group_parts,
        topics.dead_letters,
    )
    assert all(f"| `{topic.name}` |" in CONTRACT for topic in met)


def test_the_page_on_formats_has_every_topic() -> None:
    """And no other one."""
    columns = re.findall(r"^\| (`[^|]*) \|", FORMATS, re.MULTILINE)
    named = {f"flatline.{name}" for column in columns for name in re.findall(r"`([^`]+)`", column)}
    assert named == {topic.name for topic in Topics().all()}


def test_the_readme_explains_every_state() -> None:
    """Each state has its row."""
    assert all(f"| `{state}` |" in README for state in State)


def test_the_readme_is_short() -> None:
    """It leads to the other pages instead of repeating them."""
    assert len(README.splitlines()) <= 150


def test_the_readme_leads_to_every_page() -> None:
    """Every page can be reached from the README by links, but those that are about one part of the tests' own."""
    reached, ahead = set[Path](), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page not in reached and page.suffix == ".md":
            reached.add(page)
            ahead += [(page.parent / link).resolve() for link in links_of(page)]
    unreached = {page for page in PAGES if page not in reached}
    assert {str(page.relative_to(ROOT)) for page in unreached if "peers" not in page.parts} == set()


@pytest.mark.parametrize("name", ["ARCHITECTURE.md", "DECISIONS.md"])
def test_modules_that_the_architecture_names_exist(name: str) -> None:
    """`engine.task` is a module of flatline, or something in one."""
    text = (ROOT / "streams" / name).read_text()
    packages = "|".join(path.name for path in (ROOT / "streams").iterdir() if path.is_dir())
    named = set(re.findall(rf"`(?:flatline\.)?((?:{packages})\.(?:\w+\.)*\w+)`", text))
    assert len(named) >= 5
    assert {module for module in named if not _exists(module)} == set()


def _exists(name: str) -> bool:
    module, _, attribute = name.rpartition(".")
    path = ROOT / "streams" / name.replace(".", "/")
    return (
        path.is_dir()
        or path.with_suffix(".py").exists()
        or hasattr(importlib.import_module(f"flatline.{module}"), attribute)
    )


def links_of(page: Path) -> list[str]:
    """Return the relative links of a page, without their fragments."""
    return re.findall(r"\]\((?!https?://|#)([^)#\s]+)", page.read_text())


def anchors_of(page: Path) -> set[str]:
    """Return the fragments by which GitHub knows a page's headings."""
    headings = re.findall(r"^#+ +(.*?) *$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    """A relative link's file exists, and so does the heading that it names."""
    assert [link for link in links_of(page) if not (page.parent / link).exists()] == []
    with_heading = re.findall(r"\]\((?!https?://)([^)#\s]*)#([^)\s]+)\)", page.read_text())
    wrong = [
        (link, heading)
        for link, heading in with_heading
        if heading not in anchors_of((page.parent / link) if link else page)
    ]
    assert wrong == []
