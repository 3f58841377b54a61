"""What `flatline doctor` looks at: this machine, and a running installation with its Kafka and its monitoring."""
