"""The summary of a week, for people who don't look every day: as words, to Slack, once a week."""
