"""How Prometheus finds every process of ours: each announces itself in Kafka, and each can tell all of them."""
