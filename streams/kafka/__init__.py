"""The one place that makes Kafka clients: how the cluster is reached, and as whom."""
