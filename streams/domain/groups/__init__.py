"""Groups of articles (series, author, strategy, site, month): what they add up to, and the verdict on each."""
