"""What Flatline asks of a Kafka cluster: its topics, created, compared and changed."""
