"""The exit codes of all commands. `flatline --help` lists them."""

from typing import Final

from flatline.engine.unsafe_exit import EXIT_SOFTWARE

DONE: Final = 0
FAILED: Final = 1
WRONG_USAGE: Final = 2
LINES_REJECTED: Final = 4
UNSAFE: Final = EXIT_SOFTWARE
INTERRUPTED: Final = 130

MEANINGS: Final = {
    DONE: "done",
    FAILED: "failed (the reason is on stderr)",
    WRONG_USAGE: "wrong usage",
    LINES_REJECTED: "lines were rejected (--strict)",
    UNSAFE: "a worker could not go on safely",
    INTERRUPTED: "interrupted",
}
