"""An extension for Scrapy that pushes the links of the pages that a spider fetches to the ingest."""

from flatline_connectors.scrapy_extension.extension import FlatlineExtension

__all__ = ["FlatlineExtension"]
