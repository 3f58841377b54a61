"""What sources could see, when and how late, and which days of an article that covers."""
