"""`--json` is one object per line on stdout, and nothing else, with every command that has it."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.commands import all_commands
from tests.integration.running import FLATLINE, Installation
from tests.waiting import PATIENCE_S

ARTICLE = "https://yours.example/article"
LINKS = "".join(
    json.dumps(
        {
            "url_from": f"https://blog{number}.example/",
            "url_to": ARTICLE,
            "occurred_at": f"20{16 + number // 12}-{number % 12 + 1:02}-01T00:00:00Z",
        }
    )
    + "\n"
    for number in range(96)
)
# The arguments of each command, and whether it answers with one object or with any number of them. In this order: the
# first ones bring in what the others show.
CALLS = {
    "articles import": (("{articles}",), 1),
    "links import": (("{links}",), 1),
    "visits import": (("{visits}",), 1),
    "alerts list": ((), None),
    "alerts snoozes": ((), None),
    "articles list": (("--wait", str(PATIENCE_S)), None),
    "articles show": ((ARTICLE,), 1),
    "backtest": (("{links}",), 1),
    "cohorts list": ((), None),
    "connect list": (("--connectors", "{connectors}"), 1),
    "doctor": ((), None),
    "explain": ((ARTICLE,), 1),
    "groups list": ((), None),
    "instances list": ((), 1),
    "publications list": ((), None),
    "sites moves": (("--aliases",), None),
    "sites import": (("{sites}",), 1),
    "sites list": ((), 1),
    "sites show": (("www.yours.example",), 1),
    "state show": ((), 1),
    "summary show": ((), None),
    "topics acls": ((), None),
}
# None of them may be there so soon; alerts and summaries are those of a `flatline serve`, which does not run.
PERHAPS_EMPTY = {"alerts list", "alerts snoozes", "groups list", "summary show"}


@pytest.fixture(scope="module")
def said(kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Return what each command printed on an installation with a worker."""
    folder = tmp_path_factory.mktemp("json")
    files = {
        "articles": f"url,title,series,author,aliases\n{ARTICLE},The article,Notes,Ann,https://old.example/article\n",
        "connectors": '[exports]\nkind = "folder"\nfolder = "."\n',
        "links": LINKS,
        "sites": '{"domain": "yours.example", "owner": "Docs"}\n',
        "visits": f"url,domain,day,visits\n{ARTICLE},blog1.example,2026-01-05,30\n",
    }
    for name, content in files.items():
        (folder / name).write_text(content)
    with Installation(kafka_bootstrap, "test-json", folder, FLATLINE_PAGE_URL="http://127.0.0.1:9") as installation:
        installation.start(1)
        installation.wait_ready(1)
        yield {
            command: subprocess.run(
                [FLATLINE, *command.split(), *(_filled(each, folder) for each in arguments), "--json"],
                env=installation.environment,
                check=False,
                capture_output=True,
                text=True,
                timeout=2 * PATIENCE_S,
            ).stdout
            for command, (arguments, _) in CALLS.items()
        }


def _filled(argument: str, folder: Path) -> str:
    return str(folder / argument[1:-1]) if argument.startswith("{") else argument


def test_every_command_with_json_is_called() -> None:
    """A new one has to be added, and its help says what it prints."""
    having = {" ".join(found.words): found.command for found in all_commands() if "--json" in found.options}
    assert having.keys() == CALLS.keys()
    for command in having.values():
        [option] = [param for param in command.params if "--json" in param.opts]
        assert "one object per line" in option.help


@pytest.mark.parametrize("command", CALLS)
def test_each_line_is_an_object(said: dict[str, str], command: str) -> None:
    """As many lines as there are things, one where there is one answer."""
    lines = said[command].splitlines()
    assert all(isinstance(json.loads(line), dict) for line in lines)
    assert said[command] == "" or said[command].endswith("}\n")
    expected = CALLS[command][1]
    assert len(lines) == expected if expected is not None else (lines or command in PERHAPS_EMPTY)


def test_articles_show_is_the_verdict_that_the_list_has(said: dict[str, str]) -> None:
    """Both read the same topic; the former address has become the article's."""
    [listed] = [json.loads(line) for line in said["articles list"].splitlines()]
    shown = json.loads(said["articles show"])
    assert shown["article"] == ARTICLE
    assert {name: shown[name] for name in ("state", "reason", "gained_total")} == {
        name: listed[name] for name in ("state", "reason", "gained_total")
    }
    assert shown["series"] == "Notes"
