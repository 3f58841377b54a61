"""The documents name what exists."""

import re
from pathlib import Path

import pytest

from flatline.schema.rejection import Reason
from flatline.schema.topics import Topics
from flatline.schema.verdict import State
from flatline.settings import PREFIX, Settings
from flatline_connectors.sending import heartbeats

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
CONTRACT = (ROOT / "streams" / "schema" / "README.md").read_text()


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_in_the_readme(name: str) -> None:
    """Each setting has its row, with its default and what it means."""
    field = Settings.model_fields[name]
    default = "" if field.default is None else f"`{field.default}`"
    assert f"| `{PREFIX}{name.upper()}` | {default} | {field.description} |" in README


def test_the_readme_s_heartbeat_is_taken() -> None:
    """Whoever copies it gets no rejection."""
    [body] = re.findall(r"`POST /v1/heartbeats` and `(.*?)`", README)
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


def test_the_readme_explains_every_state() -> None:
    """Each state has its row."""
    assert all(f"| `{state}` |" in README for state in State)


@pytest.mark.parametrize(
    "document", sorted(path for path in ROOT.glob("**/*.md") if not {".venv", "build"} & set(path.parts)), ids=str
)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    """A relative link's file exists."""
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", document.read_text())
    assert not [link for link in links if not (document.parent / link).exists()]
