"""Backlinks that Majestic knows of, by its command GetBackLinkData."""
