"""Backlinks that Semrush found and lost, by its API v4."""
