"""Link exports of other tools: bytes in, link events out. Nothing here knows Kafka, and nothing fetches.

A file is opened into tables (`opening`), a table's columns say which tool wrote it (`recognition`, `formats`), each row
becomes a `Row` (`row`), rows of one link are merged (`merging`), and links become events (`events`).
"""
