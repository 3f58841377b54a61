"""Records prepared and sent to Kafka: links, articles, visits, heartbeats."""
