"""Precision against delay as a picture: the probability's curve beside the fixed gap's."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from matplotlib.figure import Figure

from flatline.backtest.performance import Performance

FORMATS: Final = (".svg", ".png")
_OURS: Final = "#0b6e4f"
_GAP: Final = "#9a9a9a"
_PRECISION_MIN: Final = 0.3


def draw(path: Path, *, ours: Sequence[Performance], fixed_gap: Sequence[Performance]) -> None:
    """Write the picture, in the format of its name's end. Raises OSError."""
    figure = Figure(figsize=(8, 5), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    for name, performances, color in (("fixed gap", fixed_gap, _GAP), ("Flatline", ours, _OURS)):
        shown = sorted(
            (each for each in performances if each.reached_precision >= _PRECISION_MIN),
            key=lambda each: each.mean_delay_days,
        )
        delays, precisions = [each.mean_delay_days for each in shown], [each.reached_precision for each in shown]
        axes.plot(delays, precisions, label=name, color=color, linewidth=2)
    axes.set_xscale("log")
    axes.set_xticks([7, 14, 30, 60, 90, 180, 365, 730], ["7", "14", "30", "60", "90", "180", "365", "730"])
    axes.minorticks_off()
    axes.set_xlabel("mean delay of right alerts, days since the last link")
    axes.set_ylabel("precision: alerts after which no link came for 180 days")
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.set_title("How sure, how soon: higher and further left is better", loc="left")
    axes.grid(visible=True, color="#e6e6e6")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
