"""What a team decides: thresholds by tier, and what to leave out."""
