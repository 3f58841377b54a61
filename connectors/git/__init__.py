"""Links in the history of a Git repository that holds the sources of pages."""
