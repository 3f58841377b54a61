from flatline_connectors.errors import ConnectorError


class UnreadableExport(ConnectorError):
    """A file can't be read as an export. The message names the file, what was found in it, and the remedy."""

    remedy = "`flatline links import --explain FILE` says what is recognised in a file."
