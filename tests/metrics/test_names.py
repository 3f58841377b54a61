"""Names and texts as Prometheus has them, by its own tool and by what that doesn't look at."""

import re
import subprocess

import pytest

from flatline.local import programs
from tests.metrics.expositions import connect_exposition, ingest_exposition, serve_exposition, worker_exposition
from tests.metrics.table import FILE, table

EXPOSITIONS = {
    "worker": worker_exposition(),
    "ingest": ingest_exposition(),
    "serve": serve_exposition(),
    "connect": connect_exposition(),
}


@pytest.mark.parametrize("exposition", EXPOSITIONS.values(), ids=EXPOSITIONS.keys())
def test_prometheus_finds_nothing_to_say(exposition: str) -> None:
    """Base units, suffixes, help texts, types: promtool's lint is silent on what is ours."""
    ours = "".join(line for line in exposition.splitlines(keepends=True) if re.match(r"(# \w+ )?flatline_", line))
    check = [programs.PROMTOOL.required(), "check", "metrics"]
    done = subprocess.run(check, input=ours, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("exposition", EXPOSITIONS.values(), ids=EXPOSITIONS.keys())
def test_help_says_what_to_make_of_it(exposition: str) -> None:
    """Each metric of ours has a text that is a sentence, and a name in snake case."""
    helps = dict(re.findall(r"(?m)^# HELP (flatline_\S+) (.*)$", exposition))
    assert len(helps) > 4
    for name, text in helps.items():
        assert re.fullmatch(r"flatline_[a-z_]+", name)
        assert re.search(r"[^.]\.$", text)
        assert len(text) > 25


def test_buckets_contain_what_the_readme_promises() -> None:
    """A promised latency lies between buckets that tell whether it is kept: one at most half as long again."""
    bounds = {
        name: [float(bound) for bound in re.findall(rf'(?m)^{name}_bucket{{le="([\d.]+)"}}', text)]
        for text in EXPOSITIONS.values()
        for name in re.findall(r"(?m)^# TYPE (\w+) histogram", text)
    }
    for promised_s in (0.06, 0.17):
        assert any(promised_s <= bound <= 1.7 * promised_s for bound in bounds["flatline_apply_latency_seconds"])
    assert all(bounds["flatline_commit_duration_seconds"])
    assert max(bounds["flatline_ingest_request_duration_seconds"]) >= 10  # what the ingest waits for Kafka


def test_the_table_is_current() -> None:
    """deploy/prometheus/METRICS.md lists what is exposed and recorded; tests/metrics/table.py makes it anew."""
    assert FILE.read_text() == table()
