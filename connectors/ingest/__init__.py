"""HTTP push: POST /v1/links, /v1/visits and /v1/heartbeats, acknowledged when Kafka has acknowledged."""
