"""The examples are the specification: every accepted one is taken, every rejected one for the reason in its name."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import flatline.schema
from flatline.domain import alerts, annotations
from flatline.domain.sites import checked
from flatline.domain.state.article import registration_of
from flatline.domain.state.moves import rule_of
from flatline.domain.time import LATEST_MS
from flatline.domain.urls.canonical import article_key
from flatline.schema import codec, json_schema
from flatline.schema.lost_reason import LOST_REASONS, NOT_SEEN_REASONS, is_not_seen
from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.sending import links, visits

EXAMPLES = Path(flatline.schema.__file__).parent / "examples"
DECODERS: dict[str, Callable[[bytes], object]] = {
    "link_event": links.prepare,
    "article_record": lambda value: registration_of(codec.articles.decode(value), recorded_ms=LATEST_MS),
    "removal": lambda value: article_key(codec.removals.decode(value).url, field="url"),
    "move": lambda value: rule_of(codec.moves.decode(value)),
    "site_record": lambda value: checked(codec.sites.decode(value)),
    "visits_record": visits.prepare,
    "heartbeat": codec.heartbeats.decode,
    "instance": codec.instances.decode,
    "snooze": codec.snoozes.decode,
    "annotation": lambda value: annotations.checked(codec.annotations.decode(value)),
    "alert_mark": lambda value: alerts.checked(codec.alert_marks.decode(value)),
}


def _examples(kind: str) -> list[Path]:
    return sorted(EXAMPLES.glob(f"*/{kind}/*"))


def _validator(schema: Any) -> Any:
    """Return what checks records by a schema. Its library takes seconds to load, of every process that finds tests."""
    from jsonschema import Draft202012Validator, FormatChecker

    return Draft202012Validator(schema, format_checker=FormatChecker())


def _name(path: Path) -> str:
    return f"{path.parts[-3]}/{path.stem}"


@pytest.mark.parametrize("path", _examples("accepted"), ids=_name)
def test_accepted(path: Path) -> None:
    """An accepted example decodes, and its JSON Schema, read by another implementation, agrees."""
    kind = path.parts[-3]
    DECODERS[kind](path.read_bytes())
    schema = json.loads((json_schema.FOLDER / f"{kind}.schema.json").read_bytes())
    _validator(schema).validate(json.loads(path.read_bytes()))


@pytest.mark.parametrize("path", _examples("rejected"), ids=_name)
def test_rejected(path: Path) -> None:
    """A rejected example is rejected for the reason that its name begins with."""
    with pytest.raises(Rejected) as rejection:
        DECODERS[path.parts[-3]](path.read_bytes())
    assert rejection.value.reason == path.name.split(".")[0]
    assert rejection.value.detail


def test_the_schema_of_visits_wants_a_sender() -> None:
    """What the types say in code alone, that somebody must have sent the visits, the JSON Schema says, too."""
    schema = json.loads((json_schema.FOLDER / "visits_record.schema.json").read_bytes())
    example = json.loads((EXAMPLES / "visits_record" / "rejected" / "missing_field.referrer.json").read_bytes())
    validator = _validator(schema)
    assert not validator.is_valid(example)
    assert not validator.is_valid({**example, "domain": None})
    assert validator.is_valid({**example, "url_from": "https://news.example/"})


def test_the_readme_lists_the_reasons_of_a_loss() -> None:
    """Those of a loss, and the main ones that say only that nobody could look."""
    text = (json_schema.FOLDER / "README.md").read_text()
    section = text.split("## Reasons of a loss")[1].split("\n## ")[0]
    named = set(re.findall(r"`([a-z_]+)`", section)) - {"lost_reason", "suspected"}
    losses = {word for word in named if not is_not_seen(word)}
    assert losses == set(LOST_REASONS)
    assert named - losses <= NOT_SEEN_REASONS
    assert len(named - losses) >= 5


def test_every_reason_has_an_example() -> None:
    """No reason is without an example that shows what it is for, but for that which lies in who sends a record."""
    shown = {path.name.split(".")[0] for path in _examples("rejected")}
    assert shown | {Reason.FOREIGN_SOURCE} == {reason.value for reason in Reason}


@pytest.mark.parametrize("name", json_schema.TYPES)
def test_schema_files_are_current(name: str) -> None:
    """The JSON Schema files are what the types generate now."""
    written = (json_schema.FOLDER / f"{name}.schema.json").read_bytes()
    assert written == json_schema.generate(name), "run: python -m flatline.schema.json_schema"
