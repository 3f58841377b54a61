"""Web pages that mention publications with a DOI, as Crossref and DataCite tell them."""
