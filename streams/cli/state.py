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
    """Rebuild the state from the log, by the current rules.

    Use it after you changed the policy or lifted an `ignore`, or when the state was lost. The old state stays in use
    until the new one is ready; then the workers switch to it by themselves. Run it again to resume after an
    interruption. The old state is kept until the next rebuild: `flatline state back` returns to it.
    """
    from flatline.rebuild.rebuild import rebuild as rebuild_state

    with rebuild_bar() as bar:
        rebuilt = rebuild_state(settings, bar, may_be_incomplete=incomplete)
    number, state = rebuilt.generation.number, rebuilt.generation.state
    typer.echo(
        f"State {state}, built from {rebuilt.offsets:,} offsets of the log, is now in use (generation {number})."
    )


@app.command()
@with_settings()
def show(*, json: Json = False, settings: Settings) -> None:
    """Show which state is in use, and which is being built."""
    from flatline.generations import generation_being_built, serving_generation, topics_of
    from flatline.kafka.permissions import Role

    generation, building = serving_generation(settings, Role.READ_MODEL), generation_being_built(settings)
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
    typer.echo(f"State {generation.state} is in use: {topics.changelog.name}, kept by the group {topics.group}.")
    if generation.former_state is not None:
        typer.echo(f"State {generation.former_state} is kept: `flatline state back` returns to it.")
    if building is not None:
        typer.echo(f"State {building.state} is unfinished: `flatline state rebuild` continues it.")


@app.command()
@with_settings()
def back(*, settings: Settings) -> None:
    """Return to the state before the last rebuild.

    It continues where it stopped, so it misses nothing.
    """
    from flatline.rebuild.rebuild import go_back

    generation: Generation = go_back(settings)
    typer.echo(f"State {generation.state} is in use again (generation {generation.number}).")
