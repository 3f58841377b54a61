"""URLs and domains: canonical forms, and the fingerprints that state is kept by. The rules: URLS.md."""
