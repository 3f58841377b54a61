class ConnectorError(Exception):
    """Something a person can mend. The message says what happened and what to do."""
