"""What could be seen: what sources reported, when and how late, and which days of an article that covers."""
