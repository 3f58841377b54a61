"""What each page shows, read from the read model."""
