"""Recognises imports that have no label: many links of one source, gained at one instant, on many pages."""
