import re

import pytest

from flatline.schema.topics import Topics
from flatline.settings import PREFIX, Settings
from flatline_connectors.sending import heartbeats
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


def test_settings_it_names_exist() -> None:
    """What cannot be set helps nobody. Its commands: tests/cli/test_named_commands.py."""
    settings = {PREFIX + name.upper() for name in Settings.model_fields}
    assert set(re.findall(rf"\b{PREFIX}\w+", TEXT)) <= settings


def test_an_article_is_called_by_one_word() -> None:
    """The one that is explained at the top: whoever takes another form for it silences nothing."""
    assert "**ARTICLE** is what alerts call an article" in TEXT
    assert set(re.findall(r" article=([^`\s]+)", TEXT)) == {"ARTICLE"}
    assert set(re.findall(r"`flatline explain ([^`]+)`", TEXT)) == {"ARTICLE"}


def test_changed_targets_are_read_again() -> None:
    """Prometheus takes no notice of its file by itself."""
    changing = [name for name, entry in ENTRIES.items() if "`prometheus.yml`" in entry]
    assert changing
    assert all(re.search(r"`prometheus.yml`.*\s+and\s+reload\s+that", ENTRIES[name]) for name in changing)


def test_whoever_starts_or_removes_a_process_edits_no_targets() -> None:
    """Prometheus finds what is started; what died for good is forgotten with one command."""
    processes = ("IngestDown", "WorkerDown", "ConsumerLagGrowing", "WatchListOverflow")
    assert not [name for name in processes if "prometheus.yml" in ENTRIES[name]]
    assert all("`flatline instances forget HOST:PORT`" in ENTRIES[name] for name in ("IngestDown", "WorkerDown"))


def test_the_last_heartbeat_promises_no_other() -> None:
    """The ingest takes it, and a period that is left out would stay as it was."""
    [body] = re.findall(r"-d '(\{.*\})'\n", ENTRIES["SourceStale"])
    value = re.sub(r"'\$\(.*?\)'", "2026-01-31T09:30:00Z", body).encode()
    pushed = heartbeats.prepare(value, default_source="x", now_ms=2**42, period_of=lambda _: 3600.0)
    assert pushed.record.period_s is None
    assert "-H 'Content-Type: application/json'" in ENTRIES["SourceStale"]


def test_the_dead_letters_are_read_where_they_are() -> None:
    """The topic of the command is the one that exists."""
    [topic] = re.findall(r"--topic (\S+)", ENTRIES["DeadLetters"])
    assert topic == Topics().dead_letters.name
