"""What is learned from all articles, and what it leads one to expect of a single one."""
