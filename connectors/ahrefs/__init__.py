"""Backlinks that Ahrefs found and lost, by its API v3."""
