"""The web page: what needs whom today, and why, for people without Grafana."""
