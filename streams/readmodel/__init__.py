"""Read models: what topics hold, put together for commands."""
