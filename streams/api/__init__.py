"""The HTTP API of the read model: /api/v1."""
