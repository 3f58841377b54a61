"""Webmentions that the service webmention.io received and verified."""
