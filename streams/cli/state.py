"""`flatline state`: rebuild, show and back."""

import sys
from typing import TYPE_CHECKING

import orjson
import typer

from flatline.cli.grammar import noun
from flatline.cli.options import Incomplete, Json, with_settings
from flatline.cli.rebuild_bar import rebuild_bar
from flatline.settings import Settings

if TYPE_CHECKING:
    from flatline.schema.generation import Generation

app = noun("The state that workers make from the log: rebuild it, show which one serves.")


@app.command()
@with_settings()
def rebuild(
    *,
    incomplete: Incomplete = False,
    settings: Settings,
) -> None:
    """Make the state anew from the log, by the rules and the policy of now; then it serves in place of the old one.

    For when a rule or the policy was changed, an `ignore` was lifted, or the state was lost. The old state serves
    until the new one is there; workers then go over to it by themselves. Interrupted, it goes on where it was when it
    is run again. The old state is kept until the next rebuild: `flatline state back` has it serve again.
    """
    from flatline.rebuild.rebuild import rebuild as rebuild_state

    with rebuild_bar() as bar:
        rebuilt = rebuild_state(settings, bar, may_be_incomplete=incomplete)
    number, state = rebuilt.generation.number, rebuilt.generation.state
    typer.echo(
        f"State {state}, made of {rebuilt.offsets:,} offsets of the log, serves from now on (generation {number})."
    )


@app.command()
@with_settings()
def show(*, json: Json = False, settings: Settings) -> None:
    """Say which state serves, and whether another one is being made."""
    from flatline.generations import generation_being_built, serving_generation, topics_of

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
@with_settings()
def back(*, settings: Settings) -> None:
    """Have the state before the last rebuild serve again. It goes on from where it was, and so misses nothing."""
    from flatline.rebuild.rebuild import go_back

    generation: Generation = go_back(settings)
    typer.echo(f"State {generation.state} serves again (generation {generation.number}).")
