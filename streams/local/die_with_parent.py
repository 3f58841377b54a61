"""`die_with_parent.py PARENT PROGRAM [ARGUMENT...]`: becomes PROGRAM, which the kernel kills when PARENT dies.

The kernel keeps that promise over exec and needs no cooperation of the program: a JVM can't outlive the launcher.
A script of its own instead of subprocess' preexec_fn, which is unsafe where there are threads.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h

if __name__ == "__main__":
    parent, *command = sys.argv[1:]
    if ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
        sys.exit("prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != int(parent):
        sys.exit("the parent died before the promise was made")
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell is wanted
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")
