"""`flatline`, which kills itself at a moment of an erasure that the environment names."""

import os
import signal
from typing import Any

from flatline.erasure import erase, in_place
from flatline.rebuild.copying import Copier

KILL_AT = os.environ["KILL_AT"]


def _die(*_arguments: Any, **_options: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


match KILL_AT:
    case "copying":  # the log is in new topics, and a state was built from them
        Copier.copy_verdicts = _die  # type: ignore[method-assign]
    case "cut over":  # the new topics are in use, and the old ones are there
        erase._remove_former = _die
    case "deleted":  # one of the topics that keep their names is gone, and only its copy is there
        in_place._back = _die

if __name__ == "__main__":
    from flatline.cli import main

    main()
