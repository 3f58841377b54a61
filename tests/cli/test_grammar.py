"""The words of the command line: what there is, what it is called everywhere, and what is said to a wrong word."""

import os
import re
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from flatline.cli import app
from flatline.cli.exit_codes import MEANINGS
from flatline.cli.ingest import INGEST_SETTINGS
from flatline.cli.options import FLAGS, flag_of, with_settings
from flatline.settings import Settings, SettingsError, variable_of
from tests.cli.commands import Found, all_commands, all_nouns
from tests.integration.running import FLATLINE

SHORT = {"backtest", "demo", "doctor", "erase", "explain", "ingest", "serve", "up", "watch", "worker"}
SERVERS = {"ingest": "ingest_", "serve": "serve_", "up": "", "worker": "worker_"}
SCREEN = (40, 80)


def _run(*arguments: str) -> Any:
    return CliRunner().invoke(app, arguments, prog_name="flatline", env={"COLUMNS": "80"})


def test_a_command_is_a_noun_and_a_verb_or_a_short_word() -> None:
    """Nothing else is there, and every noun has a verb. What is saved of connectors is a noun of its own."""
    commands = [found for found in all_commands() if found.words[:2] != ("connect", "state")]
    assert {found.words for found in all_commands()} - {found.words for found in commands} == {
        ("connect", "state", "show"),
        ("connect", "state", "reset"),
    }
    assert {found.words[0] for found in commands if len(found.words) == 1} == SHORT
    assert {len(found.words) for found in commands} == {1, 2}
    nouns = {found.words for found in all_nouns()} - {("connect", "state")}
    assert {words[0] for words in nouns} == {found.words[0] for found in commands if len(found.words) == 2}


def test_all_help_fits_a_screen() -> None:
    """`flatline --help` names every command, its verbs and every exit code."""
    lines = _run("--help").stdout.splitlines()
    assert len(lines) <= SCREEN[0]
    assert max(map(len, lines)) <= SCREEN[1]
    told = "\n".join(lines)
    for found in all_commands():
        assert re.search(rf"^  {found.words[0]} .*{found.words[1] if len(found.words) > 1 else ''}", told, re.MULTILINE)
    assert all(f"{code} {meaning}" in " ".join(told.split()) for code, meaning in MEANINGS.items())


def test_the_help_of_a_noun_cuts_no_sentence_off() -> None:
    """What a verb does is said in one line."""
    for found in all_nouns():
        assert "...\n" not in _run(*found.words, "--help").stdout.partition("Commands:")[2], found.words


@pytest.mark.parametrize("found", all_commands(), ids=lambda found: " ".join(found.words))
def test_help_names_values_and_no_types_of_python(found: Found) -> None:
    """TEXT, NUMBER, FILE, or the words to choose from."""
    options = _run(*found.words, "--help").stdout
    assert "--help" in options
    assert not re.findall(r"<[a-z][^>]*>|list\[|str\b.*  ", options)


def test_flatline_alone_shows_where_to_begin() -> None:
    """Six commands that exist, and how to see all."""
    done = _run()
    assert done.exit_code == 0
    shown = re.findall(r"^  flatline ([a-z]+)(?: ([a-z]+))?", done.stdout, re.MULTILINE)
    assert len(shown) == 6
    assert {tuple(filter(None, words)) for words in shown} <= {found.words for found in all_commands()}
    assert "flatline --help" in done.stdout
    assert re.fullmatch(r"flatline \d\S*\n", _run("--version").stdout)


def test_an_option_is_the_same_everywhere() -> None:
    """One name has one text; what an option is for depends on no command."""
    texts = defaultdict[str, set[str]](set)
    for found in all_commands():
        for param in found.command.params:
            for name in param.opts:
                if name.startswith("--"):
                    texts[name].add(param.help)
    # A demo keeps to a folder of its own. Each server has an address, and those with tokens a file of them.
    excepted = {"--data-dir": 2, "--host": 4, "--port": 4, "--tokens-file": 2}
    assert {name: said for name, said in texts.items() if len(said) > excepted.get(name, 1)} == {}


def test_every_option_of_a_server_is_a_setting_and_names_its_variable() -> None:
    """And all settings of the ingest, the API and the worker are options of theirs. A rehearsal is no setting."""
    commands = {found.words[0]: found.command for found in all_commands() if len(found.words) == 1}
    for command, prefix in SERVERS.items():
        told = {param.opts[0]: param.help for param in commands[command].params if param.name != "help"}
        by_flag = {flag_of(name, prefix): name for name in Settings.model_fields}
        for flag, about in told.items():
            if command == "up" and flag in ("--secured", "--brokers"):
                continue
            assert f"[{variable_of(by_flag[flag])}" in about, (command, flag)
        expected = {flag_of(name, prefix) for name in Settings.model_fields if prefix and name.startswith(prefix)}
        assert expected <= told.keys()


def test_an_option_that_is_called_like_a_setting_is_that_setting() -> None:
    """No command has a flag of its own for what a variable sets."""
    shared = {flag_of(name): variable_of(name) for name in Settings.model_fields}
    for found in all_commands():
        for param in found.command.params:
            if param.opts[0] in shared:
                assert f"[{shared[param.opts[0]]}" in param.help, (found.words, param.opts)


def test_what_is_called_a_number_is_one() -> None:
    """The word for the value of a setting's option is NUMBER where "7" becomes a number, and only there."""
    named = {variable_of(name): name for name in Settings.model_fields}
    for found in all_commands():
        for param in found.command.params:
            variable = re.search(r"\[(FLATLINE_\w+)", getattr(param, "help", None) or "")
            if variable is None or param.is_flag or param.metavar == "PORT":
                continue
            name = named[variable[1]]
            try:
                is_number = isinstance(getattr(Settings.model_validate({name: "7"}), name), int | float)
            except ValueError:
                is_number = False
            assert (param.metavar == "NUMBER") == is_number, (found.words, param.opts)


@pytest.mark.parametrize("name", [*INGEST_SETTINGS, "worker_port", "workers", "data_dir", *FLAGS])
def test_an_option_does_what_its_variable_does(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Either gives the same settings; the option wins; nonsense is refused by the name that was used."""
    prefix = next((prefix for prefix in ("ingest_", "serve_", "worker_") if name.startswith(prefix)), "")
    seen: list[object] = []
    probe = typer.Typer()

    @probe.command()
    @with_settings(*(() if name == "data_dir" else (name,)), of=prefix)
    def _probe(*, settings: Settings) -> None:
        seen.append(getattr(settings, name))

    is_bool = Settings.model_fields[name].annotation is bool
    flag = flag_of(name, prefix)
    given = [flag] if is_bool else [flag, "4321"]
    assert CliRunner().invoke(probe, given).exit_code == 0
    monkeypatch.setenv(variable_of(name), "true" if is_bool else "4321")
    assert CliRunner().invoke(probe, []).exit_code == 0
    monkeypatch.setenv(variable_of(name), "false" if is_bool else "1234")
    assert CliRunner().invoke(probe, given).exit_code == 0
    assert len(set(map(str, seen))) == 1
    if "port" in name:
        refused = CliRunner().invoke(probe, [flag, "99999"])
        assert (refused.exit_code, flag in refused.stderr) == (2, True)
        monkeypatch.setenv(variable_of(name), "99999")
        assert isinstance(CliRunner().invoke(probe, []).exception, SettingsError)


GUESSES = {
    # Misspelt.
    "article lst": "articles list",
    "articles lst": "articles list",
    "explian x": "explain",
    "link import f.csv": "links import",
    "topic check": "topics check",
    # As other programs have it.
    "articles ls": "articles list",
    "articles delete x": "articles remove",
    "list articles": "articles list",
    "import links": "links import",
    "show policy": "policy show",
    "start": "up",
    "status": "doctor",
    "check": "doctor",
    "why x": "explain",
    "init": "up",
    "add x": "articles add",
    "rm x": "articles remove",
    "policy validate": "policy check",
    "backlinks import f": "links import",
    "series list": "groups list",
    "domains": "publications list",
    "version": "--version",
    "help": "--help",
    # As it was called here.
    "import f.csv": "links import",
    "article add x": "articles add",
    "article import f": "articles import",
    "articles --sort gained": "articles list --sort",
    "topics --check": "topics check",
    "fit f": "model fit",
    "authority": "publications list",
    "groups --json": "groups list --json",
    "cohorts --kind site": "cohorts list --kind",
}


@pytest.mark.parametrize(("typed", "meant"), GUESSES.items())
def test_a_wrong_word_is_answered_with_the_right_one(typed: str, meant: str) -> None:
    """On stderr, with exit code 2."""
    done = _run(*typed.split())
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"`flatline {meant}`" in " ".join(done.stderr.split())


def test_nonsense_is_told_where_all_commands_are() -> None:
    """A guess is made only where there is something to guess by."""
    assert "`flatline --help` lists the commands." in _run("xyzzy").stderr


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (("",), {"articles", "links", "up"}),
        (("art",), {"articles"}),
        (("articles", ""), {"list", "show", "add", "fetch", "import", "remove"}),
        (("topics", "re"), {"repartition"}),
        (("articles", "list", "--st"), {"--state"}),
        (("articles", "list", "--state", "si"), {"silent"}),
    ],
)
def test_the_shell_completes(typed: tuple[str, ...], offered: set[str], tmp_path: Path) -> None:
    """As the script that `flatline --install-completion` installs asks: nouns, verbs, options and their values."""
    asked = {
        "_FLATLINE_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(["flatline", *typed]),
        "COMP_CWORD": str(len(typed)),
        "HOME": str(tmp_path),
    }
    done = subprocess.run([FLATLINE], env={**os.environ, **asked}, check=False, capture_output=True, text=True)
    words = set(done.stdout.split())
    assert offered <= words
    assert typed[-1] == "" or all(word.startswith(typed[-1]) for word in words)


def test_the_page_has_every_command_and_exit_code() -> None:
    """streams/cli/README.md lists what there is."""
    page = (Path(__file__).parents[2] / "streams" / "cli" / "README.md").read_text()
    named = re.findall(r"^\| `flatline ([a-z]+)(?: (state))?(?: ([a-z|\\]+))?` \|", page, re.MULTILINE)
    listed = {tuple(filter(None, (*nouns, verb))) for *nouns, verbs in named for verb in verbs.split("\\|")}
    assert listed == {found.words for found in all_commands()}
    rows = dict(re.findall(r"^\| (\d+) \| (.+) \|$", page.replace("`", ""), re.MULTILINE))
    assert rows == {str(code): meaning for code, meaning in MEANINGS.items()}
