import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from flatline.local.errors import LaunchError
from flatline.local.processes import Process
from flatline.local.supervisor import Supervisor
from tests.local.observing import children_of, is_alive
from tests.waiting import until


def python(name: str, code: str, ready: Path | None = None, *, is_essential: bool = False) -> Process:
    """Return a process that runs Python code, and is ready when it has made the file ``ready``."""
    return Process(
        name=name,
        command=[sys.executable, "-c", textwrap.dedent(code)],
        address="127.0.0.1:0",
        is_ready=lambda: ready is None or ready.exists(),
        is_essential=is_essential,
        ready_within_s=10,
    )


def pid_of(marker: str) -> int:
    """Return the pid of this process' child whose command line holds the marker."""
    (pid,) = (pid for pid, command in children_of(os.getpid()).items() if marker in command and is_alive(pid))
    return pid


SLEEP = "import time; time.sleep(600)"


def test_dead_process_is_started_again_and_this_is_said(tmp_path: Path) -> None:
    """A worker that dies comes back, and whoever watches reads which one, how it died and where its log is."""
    said: list[str] = []
    with Supervisor(tmp_path, said.append) as supervisor:
        supervisor.start(python("worker-1", SLEEP + " # restarted"))
        first = pid_of("# restarted")
        os.kill(first, signal.SIGKILL)
        until(
            "it is restarted",
            lambda: any("# restarted" in command for pid, command in children_of(os.getpid()).items() if pid != first),
        )
        supervisor.wait(0)
    assert said[1].startswith("worker-1 was ended by SIGKILL; it is started again in 0.5 s.")
    assert str(tmp_path / "worker-1.log") in said[1]


def test_process_that_keeps_dying_is_started_ever_more_slowly(tmp_path: Path) -> None:
    """The pauses between starts double: a broken worker doesn't take the machine with it."""
    said: list[str] = []
    ready = tmp_path / "ready"
    with Supervisor(tmp_path, said.append) as supervisor:
        supervisor.start(
            python("worker-1", f"import time; open({str(ready)!r}, 'w'); time.sleep(0.3); raise SystemExit(3)", ready)
        )
        until("it has died three times", lambda: len(said) >= 4)
    assert [line.split(" Its log")[0] for line in said[1:4]] == [
        f"worker-1 ended with exit code 3; it is started again in {delay} s." for delay in ("0.5", "1", "2")
    ]


def test_end_of_an_essential_process_is_the_end(tmp_path: Path) -> None:
    """Without Kafka nothing works: that is a failure with a reason, not a restart."""
    with Supervisor(tmp_path, print) as supervisor:
        supervisor.start(python("broker", "print('disk full', flush=True); " + SLEEP, is_essential=True))
        until("it has said so", lambda: "disk full" in (tmp_path / "broker.log").read_text())
        os.kill(pid_of("disk full"), signal.SIGKILL)
        with pytest.raises(
            LaunchError, match=r"(?s)broker was ended by SIGKILL, and nothing works without it.*disk full"
        ):
            supervisor.wait(20)


def test_failed_start_shows_the_end_of_the_log(tmp_path: Path) -> None:
    """The reason is in the message: the last lines of this run, not those of an earlier one."""
    (tmp_path / "broken.log").write_text("an old story\n")
    never = tmp_path / "never"
    with Supervisor(tmp_path, print) as supervisor, pytest.raises(LaunchError) as raised:
        supervisor.start(python("broken", "raise SystemExit('no such setting')", never))
    assert "broken ended with exit code 1 before it was ready.\n  no such setting\n" in str(raised.value)
    assert "an old story" not in str(raised.value)


def test_missing_program_is_named(tmp_path: Path) -> None:
    """A program that isn't there is a plain message, too."""
    missing = Process("ghost", ["no-such-program"], "127.0.0.1:0", is_ready=lambda: False)
    with Supervisor(tmp_path, print) as supervisor, pytest.raises(LaunchError, match="no-such-program: No such file"):
        supervisor.start(missing)


def test_stop_ends_even_what_ignores_sigterm(tmp_path: Path) -> None:
    """Nothing is left behind by a stop, however stubborn."""
    ready = tmp_path / "ready"
    stubborn = f"""
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        open({str(ready)!r}, "w")
        time.sleep(600)
    """
    with Supervisor(tmp_path, print, grace_s=0.5) as supervisor:
        supervisor.start(python("stubborn", stubborn, ready), python("obedient", SLEEP + " # obedient"))
        pids = [pid_of("SIG_IGN"), pid_of("# obedient")]
    assert not any(is_alive(pid) for pid in pids)


LAUNCHER = """
    import sys, threading, time
    from pathlib import Path
    from flatline.local.kafka import Kafka
    from flatline.local.ports import Ports
    from flatline.local.processes import Process
    from flatline.local.supervisor import Supervisor

    folder = Path(sys.argv[1])
    supervisor = Supervisor(folder / "logs", print)
    kafka = Kafka(folder / "kafka", Ports(folder / "ports.json"))
    sleeper = [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"]
    # Started by a thread that ends: a child must outlive that one, and not the process.
    starter = threading.Thread(
        target=supervisor.start,
        args=[kafka.process(), Process("sleeper", sleeper, "127.0.0.1:0", is_ready=lambda: True)],
    )
    starter.start()
    starter.join()
    time.sleep(1)
    print("started", flush=True)
    time.sleep(600)
"""


@pytest.mark.servers
def test_nothing_outlives_a_launcher_that_is_killed(tmp_path: Path) -> None:
    """Kill -9 of the launcher is the end of every process that it started, the JVM included."""
    command = [sys.executable, "-c", textwrap.dedent(LAUNCHER), str(tmp_path)]
    children: dict[int, str] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as launcher:
        try:
            assert launcher.stdout
            assert any(line == "started\n" for line in launcher.stdout)
            children = children_of(launcher.pid)
            assert sorted("java" in command for command in children.values()) == [False, True]
            assert all(is_alive(pid) for pid in children)
        finally:
            launcher.kill()
    try:
        until("none is left", lambda: not any(is_alive(pid) for pid in children))
    finally:
        for pid in filter(is_alive, children):
            os.kill(pid, signal.SIGKILL)
