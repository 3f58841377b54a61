"""What would have been said of known histories, and how much of it would have been right."""
