class LaunchError(Exception):
    """The installation could not be started, or did not stay up. The message says why and what to do."""
