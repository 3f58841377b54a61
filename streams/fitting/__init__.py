"""Models from histories: the likelihood of pauses, and the chance that a pause is the end."""
