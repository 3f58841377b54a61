"""What happens to records: thin shells around the domain."""
