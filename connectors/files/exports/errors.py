from flatline_connectors.errors import ConnectorError


class UnreadableExport(ConnectorError):
    """The file is no export that can be read. The message names it, says what was found, and what to do."""

    remedy = "`flatline links import --explain FILE` says what is recognised in a file."
