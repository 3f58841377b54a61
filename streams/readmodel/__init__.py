"""What the topics say, put together for readers."""
