"""Collects everything that the verdict on one article is based on."""
