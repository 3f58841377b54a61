import re
from typing import Any

import pytest
from typer.main import get_command

from streams.cli import app
from streams.settings import PREFIX, Settings
from tests.deploy.alert_rules import DEPLOY, alerts

TEXT = (DEPLOY / "RUNBOOK.md").read_text()
ENTRIES = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", TEXT, flags=re.MULTILINE | re.DOTALL))
PARTS = ("**Means:**", "**Look first:**", "**Do:**", "**It ends**", "**Silence:**")


def test_the_runbook_knows_each_alert() -> None:
    """Its headings are the alerts, no more and no fewer, and their links lead to them."""
    assert sorted(ENTRIES) == sorted(alerts())
    for name, alert in alerts().items():
        assert alert["annotations"]["runbook_url"].partition("#")[2] == name.lower()


@pytest.mark.parametrize(("name", "entry"), ENTRIES.items(), ids=ENTRIES)
def test_each_entry_has_all_its_parts(name: str, entry: str) -> None:
    """In one order, so that somebody who was woken finds them; how to silence it names the alert."""
    places = [entry.find(part) for part in PARTS]
    assert -1 not in places
    assert places == sorted(places)
    silence = entry[places[-1] :]
    assert f"alertname={name}" in silence or "never" in silence


def test_commands_and_settings_it_names_exist() -> None:
    """What cannot be typed helps nobody."""
    commands: dict[str, Any] = get_command(app).commands  # type: ignore[attr-defined]
    used = re.findall(r"`flatline ([a-z]+)((?: [^`]*)?)`", TEXT)
    assert len({command for command, _ in used}) > 5
    for command, arguments in used:
        assert command in commands, command
        options = {option for parameter in commands[command].params for option in parameter.opts}
        assert options >= set(re.findall(r"--[a-z-]+", arguments)), command
    settings = {PREFIX + name.upper() for name in Settings.model_fields}
    assert set(re.findall(rf"\b{PREFIX}\w+", TEXT)) <= settings
