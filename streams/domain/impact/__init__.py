"""What links bring: visits by referring domain, and who gains from whom."""
