"""JSON Schema files, generated from the types: ``python -m flatline.schema.json_schema`` writes them anew."""

from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from flatline.schema.alert_mark import AlertMark
from flatline.schema.annotation import Annotation
from flatline.schema.article_record import ArticleRecord
from flatline.schema.group import GroupPart, GroupVerdict, SurveyRound
from flatline.schema.heartbeat import Heartbeat
from flatline.schema.instance import Instance
from flatline.schema.link_event import LinkEvent
from flatline.schema.move import Move
from flatline.schema.recognised_import import ImportPart, LabellingSource, RecognisedImport
from flatline.schema.removal import Removal
from flatline.schema.site_record import SiteRecord
from flatline.schema.snooze import Snooze
from flatline.schema.verdict import Verdict
from flatline.schema.visits_record import VisitsRecord

FOLDER = Path(__file__).parent


def _needs(field: str) -> dict[str, object]:
    return {"required": [field], "properties": {field: {"type": "string"}}}


TYPES: dict[str, Any] = {
    "link_event": LinkEvent,
    "article_record": ArticleRecord,
    "visits_record": Annotated[VisitsRecord, Meta(extra_json_schema={"anyOf": [_needs("domain"), _needs("url_from")]})],
    "removal": Removal,
    "move": Move,
    "site_record": SiteRecord,
    "heartbeat": Heartbeat,
    "alert_mark": AlertMark,
    "snooze": Snooze,
    "annotation": Annotation,
    "instance": Instance,
    "verdict": Verdict,
    "group_verdict": GroupVerdict,
    "group_part": GroupPart,
    "survey_round": SurveyRound,
    "import_part": ImportPart,
    "recognised_import": RecognisedImport,
    "labelling_source": LabellingSource,
}


RECEIVED: Final = frozenset(
    {
        "link_event",
        "article_record",
        "visits_record",
        "removal",
        "move",
        "site_record",
        "heartbeat",
        "alert_mark",
        "snooze",
        "annotation",
    }
)
"""What others write: null is accepted there for any optional field."""


def generate(name: str) -> bytes:
    """Return the JSON Schema (draft 2020-12) of one record type, with a newline at its end."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(TYPES[name])}
    if name in RECEIVED:
        for definition in schema["$defs"].values():
            _allow_nulls(definition)
    return msgspec.json.format(msgspec.json.encode(schema), indent=2) + b"\n"


def _allow_nulls(definition: dict[str, Any]) -> None:
    """Let every optional field of an object be null."""
    for name, field in definition.get("properties", {}).items():  # an enumeration has none
        kinds = field.get("anyOf", [])
        if name in definition["required"] or {"type": "null"} in kinds:
            continue
        about = {key: field.pop(key) for key in ("description", "default") if key in field}
        definition["properties"][name] = {"anyOf": [*(kinds or [field]), {"type": "null"}], **about}


def write_all() -> None:
    """Write one file a type beside this module."""
    for name in TYPES:
        (FOLDER / f"{name}.schema.json").write_bytes(generate(name))


if __name__ == "__main__":
    write_all()
