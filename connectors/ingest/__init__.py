"""HTTP push: POST /v1/links and /v1/heartbeats, acknowledged when Kafka has acknowledged."""
