"""Every command, used wrongly: what went wrong is said on stderr, nothing on stdout, and never a traceback."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flatline.cli import exit_codes, main
from tests.cli.commands import all_commands
from tests.integration.running import FLATLINE
from tests.waiting import PATIENCE_S

COMMANDS = {" ".join(found.words): found for found in all_commands()}
# Arguments with which a command is complete. Each command is here: a new one has to be added.
COMPLETE = {
    "alerts list": (),
    "alerts mark": ("0", "right"),
    "alerts snooze": ("0", "--why", "w"),
    "alerts snoozes": (),
    "alerts wake": ("0",),
    "articles add": ("yours.example/a",),
    "articles fetch": ("yours.example",),
    "articles import": ("{missing}",),
    "articles list": (),
    "articles remove": ("yours.example/a",),
    "articles show": ("yours.example/a",),
    "backtest": ("{missing}",),
    "cohorts list": (),
    "connect check": ("exports",),
    "connect list": (),
    "connect once": ("exports",),
    "connect run": (),
    "connect state reset": ("exports",),
    "connect state show": ("exports",),
    "demo": (),
    "doctor": (),
    "erase": ("--domain", "elsewhere.example"),
    "explain": ("yours.example/a", "--from", "{missing}"),
    "groups list": (),
    "ingest": (),
    "serve": (),
    "instances check": (),
    "instances forget": ("127.0.0.1:8711",),
    "instances list": (),
    "links import": ("{missing}",),
    "model fit": ("{missing}", "-o", "{missing}/model"),
    "policy check": ("{missing}",),
    "policy show": (),
    "publications list": ("{missing}",),
    "sites add": ("yours.example",),
    "sites import": ("{missing}",),
    "sites list": (),
    "sites move": ("old.example", "new.example"),
    "sites moves": (),
    "sites remove": ("yours.example",),
    "sites show": ("yours.example",),
    "sites undo": ("old.example", "new.example"),
    "state back": (),
    "state rebuild": (),
    "state show": (),
    "summary send": (),
    "summary show": (),
    "topics acls": (),
    "topics alter": (),
    "topics check": (),
    "topics create": (),
    "topics repartition": ("3",),
    "up": (),
    "visits import": ("{missing}",),
    "watch": ("yours.example", "--write-only"),
    "worker": (),
}
# These do without their arguments.
OPTIONAL = {"articles fetch", "erase", "policy check", "publications list"}
# Wrong in a way of its own: the arguments, the exit code, and what is said.
WRONG = (
    ("alerts mark", ("0", "perhaps"), 2, "withdrawn"),
    ("alerts mark", ("0", "expected"), 2, "--because"),
    ("articles add", ("no url at all",), 2, "url"),
    ("articles add", ("yours.example/a", "--tier", "7"), 2, "--tier"),
    ("articles fetch", ("ftp://yours.example/",), 2, "no address"),
    ("articles fetch", ("yours.example", "--missing-max", "-1"), 2, "--missing-max"),
    ("articles list", ("--state", "dead"), 2, "silent"),
    ("articles list", ("--sort", "size"), 2, "gained"),
    ("backtest", ("{missing}", "--watch-from", "yesterday"), 2, "2026-01-31"),
    ("backtest", ("{missing}", "--picture", "a.gif"), 2, ".svg"),
    ("backtest", ("{missing}",), 1, "can't be read"),
    ("backtest", ("{missing}", "--policy", "{missing}"), 1, "policy file"),
    ("connect check", ("exports", "--connectors", "{missing}"), 1, "file of connectors"),
    ("connect list", (), 1, "connectors.toml can't be read"),
    ("connect run", ("--port", "x"), 2, "--port"),
    ("connect state show", ("exports",), 1, "Kafka"),
    ("erase", (), 2, "--author"),
    ("erase", ("--author", "Jane Doe", "--page", "https://a.example/"), 2, "once"),
    ("erase", ("--page", "a.example"), 2, "no address"),
    ("explain", ("yours.example/a", "--on", "2026-01-31"), 2, "--from"),
    ("explain", ("yours.example/a", "--from", "{missing}"), 1, "can't be read"),
    ("explain", ("http://",), 2, "article"),
    ("ingest", ("--no-auth", "--host", "0.0.0.0"), 2, "--no-auth"),
    ("ingest", (), 2, "--tokens-file"),
    ("ingest", ("--tokens-file", "{missing}"), 1, "can't be read"),
    ("ingest", ("--port", "0"), 2, "--port"),
    ("serve", ("--host", "0.0.0.0"), 2, "--tokens-file"),
    ("serve", ("--tokens-file", "{missing}"), 1, "can't be read"),
    ("instances check", ("broker",), 2, "worker"),
    ("links import", ("{missing}",), 1, "can't be read"),
    ("links import", ("-", "--map", "nonsense"), 2, "FIELD=COLUMN"),
    ("links import", ("-", "--exported-on", "never"), 2, "2026-01-31"),
    ("model fit", ("{missing}", "-o", "x"), 1, "can't be read"),
    ("policy check", ("{missing}",), 1, "can't be read"),
    ("policy show", ("--data-dir",), 2, "--data-dir"),
    ("publications list", ("{missing}",), 1, "can't be read"),
    ("sites add", ("yours.example/notes",), 2, "without a path"),
    ("sites add", ("yours.example", "--role", "rival"), 2, "role"),
    ("sites add", ("yours.example", "--time-zone", "Mars/Olympus"), 2, "time_zone"),
    ("sites add", ("yours.example", "--channel", "two words"), 2, "channel"),
    ("sites add", ("yours.example", "--series-rule", "guides"), 2, "series"),
    ("summary show", ("--until", "yesterday"), 2, "2026-01-31"),
    ("sites list", ("--alertmanager", "{missing}"), 1, "no configuration of Alertmanager"),
    ("topics repartition", ("0",), 2, "PARTITIONS"),
    ("up", ("--workers", "0"), 2, "--workers"),
    ("up", ("--policy", "{missing}"), 1, "policy file"),
    ("worker", ("--port", "x"), 2, "--port"),
    ("worker", ("--policy", "{missing}"), 1, "policy file"),
    ("worker", ("--session-timeout-s", "1"), 2, "--session-timeout-s"),
)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path) -> "Run":
    """Return what runs a command in this process, where no Kafka is."""
    monkeypatch.setenv("FLATLINE_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.chdir(tmp_path)
    return Run(monkeypatch, capfdbinary, tmp_path)


class Run:
    """Runs commands in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, captured: pytest.CaptureFixture[bytes], folder: Path) -> None:
        self._monkeypatch = monkeypatch
        self._captured = captured
        self._folder = folder

    def __call__(self, command: str, *arguments: str) -> tuple[int, str, str]:
        """Return the exit code, and what was printed to stdout and stderr."""
        filled = [argument.replace("{missing}", str(self._folder / "missing")) for argument in arguments]
        self._monkeypatch.setattr(sys, "argv", ["flatline", *command.split(), *filled])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = self._captured.readouterr()
        code = ended.value.code
        return code if isinstance(code, int) else 0, out.decode(), err.decode()


def test_every_command_is_in_the_table() -> None:
    """A new one is tried as well."""
    assert COMPLETE.keys() == COMMANDS.keys()


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_option_is_wrong_usage(run: Run, command: str) -> None:
    """Exit code 2, with the name of the option."""
    code, out, err = run(command, *COMPLETE[command], "--frobnicate")
    assert (code, out) == (exit_codes.WRONG_USAGE, "")
    assert "--frobnicate" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "command", [name for name, arguments in COMPLETE.items() if arguments and name not in OPTIONAL]
)
def test_a_missing_argument_is_wrong_usage(run: Run, command: str) -> None:
    """Exit code 2, unless the command does without."""
    code, out, err = run(command)
    assert (code, out) == (exit_codes.WRONG_USAGE, "")
    assert "Missing argument" in err


@pytest.mark.parametrize(("command", "arguments", "code", "said"), WRONG)
def test_what_is_wrong_is_said(run: Run, command: str, arguments: tuple[str, ...], code: int, said: str) -> None:
    """With the exit code that is documented; an error that can be mended has a second line with what to do."""
    ended, out, err = run(command, *arguments)
    assert (ended, out) == (code, ""), err
    assert said in err
    assert "Traceback" not in err
    if code == exit_codes.FAILED:
        assert re.fullmatch(r"Error: .+\n.+\.\n", err[err.index("Error: ") :], re.DOTALL)


def test_done_is_zero_and_rejected_lines_are_four(run: Run, tmp_path: Path) -> None:
    """Only --strict makes rejected lines a failure."""
    links = tmp_path / "links.ndjson"
    events = [
        f'{{"url_from":"https://a{number}.example/","url_to":"https://t.example/{number % 3}",'
        f'"occurred_at":"20{10 + number // 12:02}-{number % 12 + 1:02}-01T00:00:00Z"}}\n'
        for number in range(150)
    ]
    links.write_text("".join([*events, "no json\n"]))
    assert run("backtest", str(links))[0] == exit_codes.DONE
    assert run("backtest", str(links), "--strict")[0] == exit_codes.LINES_REJECTED


def test_an_end_that_is_not_safe_is_seventy() -> None:
    """As a worker ends itself."""
    script = "from flatline.engine.unsafe_exit import exit_unsafe; exit_unsafe('lost')"
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True)
    assert done.returncode == exit_codes.UNSAFE


def test_an_interrupt_is_130(tmp_path: Path) -> None:
    """Ctrl-C ends a command without a traceback."""
    fifo = tmp_path / "links.ndjson"
    os.mkfifo(fifo)
    process = subprocess.Popen(
        [FLATLINE, "backtest", str(fifo)],
        stderr=subprocess.PIPE,
        text=True,
        # Where the tests themselves are run in the background, the signal is ignored, and that is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 - no threads
    )
    with fifo.open("wb"):  # opens when the command does
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == exit_codes.INTERRUPTED
    assert "Traceback" not in err
