"""What one link event says of its link: which link, what happened to it and when, and its traits."""
