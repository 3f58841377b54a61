"""Looks at pages with known links: whether a link that is called lost is lost, and whether live ones are alive."""
