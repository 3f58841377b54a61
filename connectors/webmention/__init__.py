"""Receives Webmentions (https://www.w3.org/TR/webmention/), verifies them, and sends link events."""
