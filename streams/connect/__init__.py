"""`flatline connect`: shares the connectors among processes, and keeps their positions in Kafka."""
