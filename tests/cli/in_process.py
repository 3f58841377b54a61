"""Runs commands in the process of the test. Starting another process takes longer than most commands do."""

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from subprocess import CompletedProcess

import pytest

from flatline.cli import main


def flatline(*arguments: object, **variables: str) -> CompletedProcess[str]:
    """Run a command with these variables in its environment, and return what `subprocess.run` would."""
    command = ["flatline", *map(str, arguments)]
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", command)
        for name, value in variables.items():
            patch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main()
    code = ended.value.code
    assert code is None or isinstance(code, int)
    return CompletedProcess(command, code or 0, *(stream.buffer.getvalue().decode() for stream in (out, err)))
