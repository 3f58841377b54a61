"""What Flatline asks of a Kafka cluster."""
