"""The folder of a worker."""

from contextlib import suppress
from itertools import islice

from tests.chaos.disk import disk
from tests.chaos.flow import write_all
from tests.chaos.trial import Trial

EVENTS = 1_000
BLOCK_BYTES = 4_096


def test_the_disk_of_a_worker_is_full(trial: Trial) -> None:
    """It keeps nothing there, so it goes on."""
    home = trial.installation.home(1)
    with disk(home, "64k"):
        with (home / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
            while True:
                ballast.write(b"." * BLOCK_BYTES)
        trial.installation.start(1)
        trial.installation.wait_ready(1)
        write_all(trial.bootstrap, islice(trial.events, EVENTS))
        trial.check_now()
        assert not trial.installation.ends
        assert [file.name for file in home.iterdir()] == ["ballast"]
        trial.installation.close()
