"""Backlinks that Moz knows of, by its Links API v2."""
