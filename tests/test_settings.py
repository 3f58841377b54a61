from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.settings import ENV_FILE, Settings, SettingsError, load_settings


@pytest.fixture(autouse=True)
def empty_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No installation in the current folder."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("variable", "value", "cause"),
    [
        ("FLATLINE_WORKER_PORT", "70000", "less than or equal to 65535"),
        ("FLATLINE_INGEST_PORT", "0", "greater than or equal to 1"),
        ("FLATLINE_PARTITIONS", "0", "greater than or equal to 1"),
        ("FLATLINE_PARTITIONS", "many", "valid integer"),
        ("FLATLINE_CLOCK_SPEED", "0", "greater than 0"),
        ("FLATLINE_CLOCK_SPEED", "inf", "finite"),
        ("FLATLINE_KAFKA_BOOTSTRAP", "broker", "host:port"),
        ("FLATLINE_KAFKA_BOOTSTRAP", "a:1, b:2", "no spaces"),
        ("FLATLINE_NAMESPACE", "my team", "letters"),
        ("FLATLINE_FETCH_CONTACT", "write (to) us", "mail address"),
        ("FLATLINE_FETCH_NETWORKS", "10.0.0.0/8,intranet", "networks"),
        ("FLATLINE_GRAFANA_URL", "grafana:3000", "http://"),
    ],
)
def test_error_names_variable_and_cause(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, cause: str) -> None:
    """Whoever set it reads which variable it is, what it holds, and what is wrong with that."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert str(raised.value).startswith(f"{variable} is {value!r}: ")
    assert cause in str(raised.value)


def test_every_error_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two mistakes are two lines, not two attempts."""
    monkeypatch.setenv("FLATLINE_PARTITIONS", "0")
    monkeypatch.setenv("FLATLINE_WORKER_PORT", "x")
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert [line.split()[0] for line in str(raised.value).splitlines()] == [
        "FLATLINE_PARTITIONS",
        "FLATLINE_WORKER_PORT",
    ]


def test_environment_wins_over_the_running_installation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The file of `flatline up` fills what the environment leaves open, unless the caller is `up` itself."""
    (tmp_path / ENV_FILE).write_text("FLATLINE_KAFKA_BOOTSTRAP='127.0.0.1:1'\nFLATLINE_PARTITIONS='3'\n")
    monkeypatch.setenv("FLATLINE_PARTITIONS", "5")
    running = load_settings(tmp_path)
    assert (running.kafka_bootstrap, running.partitions) == ("127.0.0.1:1", 5)
    assert load_settings(tmp_path, of_running=False).kafka_bootstrap == "127.0.0.1:9092"
    monkeypatch.setenv("FLATLINE_DATA_DIR", str(tmp_path))
    assert load_settings().kafka_bootstrap == "127.0.0.1:1"


# Not '$': "${" asks for a variable in such files. Not the separators of lines that no file system puts in our way.
FOLDERS = st.text(st.characters(categories=("L", "N", "P", "S", "Zs"), exclude_characters="$/"), min_size=1)


@given(folder=FOLDERS, speed=st.floats(0.01, 1e9))
def test_written_settings_are_the_settings_read(folder: str, speed: float) -> None:
    """What `flatline up` writes leads other commands to the very same settings, whatever the folders are called."""
    place = Path("/") / folder
    written = Settings(ingest_tokens_file=place, clock_file=place, clock_speed=speed)
    (Path.cwd() / ENV_FILE).write_text(written.dotenv())
    read = load_settings(Path.cwd())
    assert read.model_copy(update={"data_dir": written.data_dir}).environment() == written.environment()
