"""The storage of a Prometheus that scraped and recorded for hours, and then did not for a while."""

import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from flatline.local import programs

# What a target would say at an instant, in seconds since the epoch.
Exposition = Callable[[float], str]

_STEP_S: Final = 60
_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def store_scrapes(
    tsdb: Path, targets: Mapping[tuple[str, str], Exposition], *, from_s: int, until_s: int, also: Iterable[str] = ()
) -> None:
    """Write what scraping ``targets`` (by job and instance) would have stored, and the lines in ``also``."""
    openmetrics = tsdb.with_suffix(".om")
    with openmetrics.open("w") as file:
        for (job, instance), exposition in targets.items():
            own = {"job": job, "instance": instance}
            for at_s in range(from_s, until_s, _STEP_S):
                file.write(line("up", own, 1, at_s=at_s))
                file.writelines(_lines(exposition(at_s), own, at_s=at_s))
        file.writelines(also)
        file.write("# EOF\n")
    _promtool("openmetrics", str(openmetrics), str(tsdb))


def store_recordings(tsdb: Path, prometheus: str, rules: Path, *, from_s: int, until_s: int) -> None:
    """Write what the recording rules would have stored; ``prometheus`` is one that runs on ``tsdb``."""
    span = (f"--start={from_s}", f"--end={until_s}", f"--eval-interval={_STEP_S}s")
    files = map(str, sorted(rules.glob("*.yml")))
    _promtool("rules", f"--url=http://{prometheus}", *span, f"--output-dir={tsdb}", *files)


def line(name: str, labels: Mapping[str, str], value: float, *, at_s: float) -> str:
    """Return a sample in OpenMetrics' text format."""
    inner = ",".join(f'{label}="{text.translate(_ESCAPES)}"' for label, text in labels.items())
    return f"{name}{{{inner}}} {value} {at_s}\n"


def _lines(exposition: str, own: Mapping[str, str], *, at_s: float) -> Iterator[str]:
    for family in text_string_to_metric_families(exposition):
        for sample in family.samples:
            yield line(sample.name, {**sample.labels, **own}, sample.value, at_s=at_s)


def _promtool(*arguments: str) -> None:
    command = [programs.PROMTOOL.required(), "tsdb", "create-blocks-from", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + done.stdout
