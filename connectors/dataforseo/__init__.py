"""Backlinks that DataForSEO found and lost, by its API v3."""
