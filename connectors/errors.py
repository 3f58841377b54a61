from flatline.errors import FlatlineError


class ConnectorError(FlatlineError):
    """Something a person can mend. The message says what happened."""

    remedy = "Correct what is named, and run the same again: links count once."
