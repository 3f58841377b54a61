"""The checks of `flatline doctor`: this machine, and a running installation with its Kafka and its monitoring."""
