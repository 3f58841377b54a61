"""Links in other people's feeds."""
