"""How a terminal shows each state."""

from typing import Final

from flatline.schema.verdict import State

STATE_STYLES: Final = {
    State.SILENT: "bold red",
    State.COOLING: "yellow",
    State.REVIVED: "bold green",
    State.BURSTING: "green",
    State.GROWING: "green",
    State.DORMANT: "dim",
}
