"""`flatline state`: rebuild, show and back."""

import sys
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from flatline.cli.rebuild_bar import rebuild_bar
from flatline.settings import load_settings

if TYPE_CHECKING:
    from flatline.schema.generation import Generation

app = typer.Typer(
    help="The state that workers make from the log: rebuild it, show which one serves.", no_args_is_help=True
)


@app.command()
def rebuild(
    incomplete: Annotated[
        bool, typer.Option("--incomplete", help="Go on although the log no longer begins at its beginning.")
    ] = False,
) -> None:
    """Make the state anew from the log, by the rules and the policy of now; then it serves in place of the old one.

    For when a rule or the policy was changed, an `ignore` was lifted, or the state was lost. The old state serves
    until the new one is there; workers then go over to it by themselves. Interrupted, it goes on where it was when it
    is run again. The old state is kept until the next rebuild: `flatline state back` has it serve again.
    """
    from flatline.rebuild.rebuild import rebuild as rebuild_state

    with rebuild_bar() as bar:
        rebuilt = rebuild_state(load_settings(), bar, may_be_incomplete=incomplete)
    number, state = rebuilt.generation.number, rebuilt.generation.state
    typer.echo(
        f"State {state}, made of {rebuilt.offsets:,} offsets of the log, serves from now on (generation {number})."
    )


@app.command()
def show(json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False) -> None:
    """Say which state serves, and whether another one is being made."""
    from flatline.generations import generation_being_built, serving_generation, topics_of

    settings = load_settings()
    generation, building = serving_generation(settings), generation_being_built(settings)
    topics = topics_of(settings, generation)
    if json:
        found = {
            "generation": generation.number,
            "state": generation.state,
            "changelog": topics.changelog.name,
            "group": topics.group,
            "partitions": generation.layout.partitions,
            "former_state": generation.former_state,
            "building": None if building is None else building.state,
        }
        sys.stdout.buffer.write(orjson.dumps(found, option=orjson.OPT_APPEND_NEWLINE))
        return
    typer.echo(f"State {generation.state} serves: {topics.changelog.name}, made by the group {topics.group}.")
    if generation.former_state is not None:
        typer.echo(f"State {generation.former_state} is kept: `flatline state back` has it serve again.")
    if building is not None:
        typer.echo(f"State {building.state} was begun: `flatline state rebuild` goes on with it.")


@app.command()
def back() -> None:
    """Have the state before the last rebuild serve again. It goes on from where it was, and so misses nothing."""
    from flatline.rebuild.rebuild import go_back

    generation: Generation = go_back(load_settings())
    typer.echo(f"State {generation.state} serves again (generation {generation.number}).")
