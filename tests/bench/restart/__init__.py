"""A worker that has just started, all of whose articles are due: its commits, its event loop, its scrapes.

It has a million articles in 8 partitions, 200,000 of them registered, with links from 500 sources. It is watched from
when it is ready until it has judged as many articles as are registered: they come first.

The loop is asked for an answer all the time, and ``restart_loop_blocked_max_s`` is the longest time that it took; a
scrape that it is busy with counts. Beside a time by the wall stands that of the loop's thread on the processor
meanwhile: the difference is others' doing, and ``restart_waited_share`` says for how much of the time that thread
waited for a processor.

The environment may set RESTART_ARTICLES, RESTART_REGISTERED, RESTART_SOURCES, RESTART_S and RESTART_WITHIN_S: it is
watched for at least RESTART_S.
"""

import sys
import time
from pathlib import Path
from typing import Final

from tests.bench.part import WrongResult, setting
from tests.bench.report import say
from tests.bench.restart.watching import Watch, percentile
from tests.bench.state.changelog import State, write_changelogs
from tests.bench.worker import Worker

PARTITIONS: Final = 8
LINKS_MEAN: Final = 5

_LOOK_EVERY_S: Final = 0.5


def measure(bootstrap: str, folder: Path) -> dict[str, float]:
    """Return the figures. Raises LaunchError and WrongResult."""
    articles, registered = setting("RESTART_ARTICLES", 1_000_000), setting("RESTART_REGISTERED", 200_000)
    state = State(
        "restart", PARTITIONS, articles, LINKS_MEAN, registered=registered, sources=setting("RESTART_SOURCES", 500)
    )
    say(f"restart: writing the changelog of {articles:,} articles, {registered:,} of them registered")
    write_changelogs(bootstrap, [state])
    noted = folder / "commits"
    noting = [sys.executable, "-m", "tests.bench.restart.noting", str(noted)]
    with Worker(bootstrap, state.namespace, folder, partitions=PARTITIONS, under=noting) as worker:
        say(f"  ready after {worker.ready_after_s:.1f} s")
        began_s, cpu_before_s = time.monotonic(), worker.cpu_s
        with Watch(worker) as watch:
            _wait(watch, worker, noted, began_s=began_s, registered=registered)
        elapsed_s, cpu_s = time.monotonic() - began_s, worker.cpu_s - cpu_before_s
        judged = worker.metric("flatline_articles")
        _check(worker, judged=judged, articles=articles, registered=registered)
    commits, answers, scrapes = _commits_s(noted), watch.answers, watch.scrapes
    return {
        "restart_articles": articles,
        "restart_judged": judged,
        "restart_judged_per_s": judged / elapsed_s,
        "restart_core_share": cpu_s / elapsed_s,
        "restart_waited_share": watch.waited_s / elapsed_s,
        "restart_commits": len(commits),
        "restart_commit_p50_s": percentile(commits, 0.5),
        "restart_commit_p99_s": percentile(commits, 0.99),
        "restart_commit_max_s": max(commits),
        "restart_loop_blocked_max_s": max(answer.took_s for answer in answers),
        "restart_loop_blocked_max_cpu_s": max(answer.cpu_s for answer in answers),
        "restart_scrapes": len(scrapes),
        "restart_scrape_p50_ms": percentile([scrape.took_s * 1000 for scrape in scrapes], 0.5),
        "restart_scrape_max_ms": max(scrape.took_s * 1000 for scrape in scrapes),
        "restart_scrape_p50_cpu_ms": percentile([scrape.cpu_s * 1000 for scrape in scrapes], 0.5),
    }


def _commits_s(noted: Path) -> list[float]:
    return [float(line) for line in noted.read_text().splitlines()]


def _wait(watch: Watch, worker: Worker, noted: Path, *, began_s: float, registered: int) -> None:
    """Wait until the registered articles are judged, and there were commits and scrapes. Raises WrongResult."""
    at_least_s, within_s = setting("RESTART_S", 60), setting("RESTART_WITHIN_S", 600)
    while True:
        time.sleep(_LOOK_EVERY_S)
        worker.check_runs()
        watch.check()
        waited_s = time.monotonic() - began_s
        commits = len(_commits_s(noted))
        is_seen = bool(commits and watch.scrapes and watch.answers)
        if is_seen and waited_s >= at_least_s and (watch.judged >= registered or waited_s > within_s):
            return
        if not is_seen and waited_s > within_s:
            raise WrongResult(f"{commits} commits and {len(watch.scrapes)} scrapes within {within_s} s")


def _check(worker: Worker, *, judged: float, articles: int, registered: int) -> None:
    """Check that what the worker says of itself fits what it was given. Raises WrongResult."""
    restored = worker.metric("flatline_partitions", phase="recovered")
    if restored != PARTITIONS or judged > articles:
        raise WrongResult(f"{restored} of {PARTITIONS} partitions are restored, {judged:,.0f} of {articles:,} judged")
    watched = worker.metric("flatline_watched_article_info")
    known = worker.metric("flatline_watch_list_left_out", registered="true") + watched
    if judged == articles and known < registered:
        raise WrongResult(f"The watch list knows {known:,.0f} of {registered:,} registered articles")
