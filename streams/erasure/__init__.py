"""Removes a person's name, a page or a domain from all topics and from the read model, and proves it."""
