"""What pages say, whatever format they are kept in."""
