"""What connectors of vendors' APIs share."""
