"""A whole installation on this machine: Kafka, the ingest, workers, Prometheus and Alertmanager on 127.0.0.1."""
