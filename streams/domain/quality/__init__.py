"""What links are worth: the quality of a link, and the value of all links of an article. The rules: QUALITY.md."""
