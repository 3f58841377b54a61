"""Replays known histories: which alerts would have come, and how many of them would have been right."""
