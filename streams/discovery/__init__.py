"""How Prometheus finds our processes: each announces itself in Kafka, and each can list all of them."""
