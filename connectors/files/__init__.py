"""Records read from files: lines of JSON, tables, exports of link tools."""
