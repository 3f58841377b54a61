"""Turns link exports of other tools into link events. Nothing here uses Kafka or the network.

A file is opened into tables (`opening`), a table's columns say which tool wrote it (`recognition`, `formats`), each row
becomes a `Row` (`row`), rows of one link are merged (`merging`), and links become events (`events`).
"""
