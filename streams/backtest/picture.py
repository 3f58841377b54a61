"""A backtest as a picture: precision against delay, beside the fixed gap; and what was said against what came."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from flatline.backtest.assessment import Assessment
from flatline.backtest.calibration import GapCalibration
from flatline.backtest.performance import Performance

FORMATS: Final = (".svg", ".png")
_OURS: Final = "#0b6e4f"
_GAP: Final = "#9a9a9a"
_PRECISION_MIN: Final = 0.3
_OF_RATES: Final = ("#0b6e4f", "#1a5276", "#e08a00", "#c62828")
_LOOKS_MIN: Final = 20


def draw(path: Path, assessment: Assessment) -> None:
    """Write the picture, in the format of its name's end. Raises OSError."""
    figure = Figure(figsize=(15, 5.5), dpi=120, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    _draw_delays(left, ours=assessment.ours, fixed_gap=assessment.fixed_gap)
    if assessment.calibration is not None:
        _draw_calibration(right, assessment.calibration.by_gap)
    for axes in (left, right):
        axes.grid(visible=True, color="#e6e6e6")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, loc="lower right")
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def _draw_delays(axes: Axes, *, ours: Sequence[Performance], fixed_gap: Sequence[Performance]) -> None:
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


def _draw_calibration(axes: Axes, cells: Sequence[GapCalibration]) -> None:
    axes.plot([0, 1], [0, 1], color=_GAP, linewidth=1)
    for rate, color in zip(dict.fromkeys(each.rate for each in cells), _OF_RATES, strict=False):
        shown = [each for each in cells if each.rate == rate and each.looks >= _LOOKS_MIN]
        axes.plot(
            [each.said for each in shown],
            [each.observed for each in shown],
            label=f"{rate} link days a year",
            color=color,
            marker="o",
            linewidth=1,
        )
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.set_xlabel("probability that was said")
    axes.set_ylabel("pauses in which no link came")
    axes.set_title("Is the probability true? Points on the line are", loc="left")
