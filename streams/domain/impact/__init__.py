"""What links bring: visits by referring domain, and which domains and authors gain links from which."""
