"""`flatline worker`: the loop that judges and commits, what it is put together from, and how it says it is well."""
