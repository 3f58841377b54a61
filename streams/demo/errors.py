from flatline.local.errors import LaunchError


class DemoError(LaunchError):
    """The demo can't be played, or did not show what it should. The message says why."""

    remedy = "The logs are in the folder of the demo. `flatline demo` begins anew."
