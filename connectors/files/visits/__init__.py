"""Visits from web servers' logs and the exports of analytics tools, added up by article, referring domain and day."""
