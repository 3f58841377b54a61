from flatline.errors import FlatlineError


class LaunchError(FlatlineError):
    """The installation could not be started, or did not stay up. The message says why."""

    remedy = "`flatline doctor` says what is missing on this machine."
