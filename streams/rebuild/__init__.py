"""The state made anew from the log, and what is done when it was lost."""
