"""Runs connectors: schedules, retries, budgets, sending, positions. ../README.md lists the connectors."""
