"""`flatline model`: the model of the probability that no further link comes."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from flatline.cli.grammar import noun
from flatline.cli.options import LinkFiles, with_settings
from flatline.clock import clock_from
from flatline.settings import Settings

app = noun("The model of the probability that no further link comes.")


@app.command()
@with_settings()
def fit(
    files: LinkFiles,
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write the model to.")],
    description: Annotated[str, typer.Option(help="What these histories are; by default the names of the files.")] = "",
    horizon_days: Annotated[
        int, typer.Option(min=7, max=3_650, help="Days without a link after which a silence counts as real.")
    ] = 180,
    base_rate: Annotated[
        float | None,
        typer.Option(
            min=0.001, max=0.999, help="Share of real silences among pauses, if these histories are not typical."
        ),
    ] = None,
    from_scratch: Annotated[bool, typer.Option("--from-scratch", help="Don't start from the shipped model.")] = False,
    settings: Settings,
) -> None:
    """Fit the model of silence to your own histories.

    Prints what the model was fitted on, and how well it does on these histories compared with the shipped model. To use
    the model, name its file in the policy (`file` in section `model`).
    """
    import msgspec

    from flatline.backtest.assessment import assess
    from flatline.backtest.cases import LINK_DAYS_MIN, cases_of
    from flatline.cli.histories import read_histories
    from flatline.domain.learned.hazard import FittedOn, Hazard, load_model
    from flatline.domain.time import day_of, to_datetime
    from flatline.fitting.fit import fit as fitted

    console = Console(stderr=True, highlight=False)
    histories = read_histories(files, [], [], None, console, now_ms=clock_from(settings).now_ms())
    articles = [days for history in histories if len(days := history.link_days()) >= LINK_DAYS_MIN]
    cases = cases_of(articles, end_day=day_of(histories.end_ms), horizon_days=horizon_days)
    fitted_on = FittedOn(
        description or ", ".join(file.name for file in files),
        articles=len(articles),
        cases=len(cases),
        until=f"{to_datetime(histories.end_ms):%Y-%m-%d}",
        base_rate=base_rate,
    )
    shipped = load_model()
    with console.status(f"fitting {len(cases):,} pauses"):
        model = fitted(cases, start=None if from_scratch else shipped, fitted_on=fitted_on)
    output.write_bytes(msgspec.json.format(msgspec.json.encode(model), indent=2) + b"\n")
    table = Table("model", "Brier score", "of the base rate", box=None)
    for name, each in (("fitted", model), ("shipped", shipped)):
        if each.horizon_days == horizon_days and (found := assess(cases, Hazard(each)).calibration):
            table.add_row(name, f"{found.brier:.4f}", f"{found.base_rate_brier:.4f}")
    shown = Console(highlight=False)
    counts = f"{len(cases):,} pauses of {len(articles):,} articles"
    shown.print(f"{output}: fitted on {counts} until {fitted_on.until}.", soft_wrap=True)
    shown.print(table)
