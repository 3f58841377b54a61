"""Links on pages that Common Crawl captured, from its WAT and WARC files."""
