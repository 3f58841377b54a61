"""Hacker News: stories that are links, and links in texts and comments, by the search of hn.algolia.com."""
