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

app = noun("The state that workers make from the log of events.")


@app.command()
@with_settings()
def rebuild(
    *,
    incomplete: Incomplete = False,
    settings: Settings,
) -> None:
    """Make the state anew from the log, by today's rules.

    Use it after you changed the policy or lifted an `ignore`, or when the state was lost. The old state serves until
    the new one is ready; then workers switch over by themselves. Run it again to resume after an interruption. The old
    state is kept until the next rebuild: `flatline state back` returns to it.
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
    """Show which state serves, and which is being made."""
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
    """Return to the state before the last rebuild.

    It continues where it stopped, so it misses nothing.
    """
    from flatline.rebuild.rebuild import go_back

    generation: Generation = go_back(settings)
    typer.echo(f"State {generation.state} serves again (generation {generation.number}).")
