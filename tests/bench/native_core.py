"""What the native core saves: the worker with it and without it, on events of few articles and of as many as events."""

from pathlib import Path
from statistics import median
from typing import Final

from flatline.core import Core, why_not_native
from tests.bench.ours import Ours
from tests.bench.part import setting
from tests.bench.report import say
from tests.bench.rounds import Entrant, take_turns
from tests.bench.workload import Workload

EVENTS: Final = 1_000_000
REPEATS: Final = 3
CONCENTRATED: Final = "concentrated"
SPREAD: Final = "spread"


def measure(bootstrap: str, folder: Path) -> dict[str, float]:
    """Return the CPU time of each, and the ratios; nothing without the core. Raises WrongResult and LaunchError."""
    if why := why_not_native():
        say(f"not measured: {why}")
        return {}
    events = setting("EVENTS", EVENTS)
    loads = {CONCENTRATED: Workload(events)}
    if setting("CORE_SPREAD", 1):
        loads[SPREAD] = Workload(events // 2, articles=events // 2)
    entrants = [
        Entrant(Ours(f"{core}-{name}", f"{name}, core: {core}", core=core), load, warm_up=load.events // 4)
        for name, load in loads.items()
        for core in (Core.PYTHON, Core.NATIVE)
    ]
    answers = take_turns(bootstrap, folder, entrants, repeats=setting("REPEATS", REPEATS))
    cpu_s = {name: [answer.cpu_s_per_million_events for answer in repeats] for name, repeats in answers.items()}
    figures = {}
    for name in loads:
        native, python = cpu_s[f"{Core.NATIVE}-{name}"], cpu_s[f"{Core.PYTHON}-{name}"]
        figures[f"native_core_{name}_cpu_s_per_million_events"] = median(native)
        figures[f"python_core_{name}_cpu_s_per_million_events"] = median(python)
        figures[f"cpu_python_vs_native_core_{name}"] = median(a / b for a, b in zip(python, native, strict=True))
    return figures
