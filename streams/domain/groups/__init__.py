"""Groups of articles: what they add up to over all partitions, and what is said of them."""
