"""Rebuilds the state from the log, and detects state that was lost."""
