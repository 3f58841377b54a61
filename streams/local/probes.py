"""Asks servers that may not be running (yet). Each question is answered within seconds and never raises."""

import http.client
import socket

from kafka.errors import KafkaError

from flatline.kafka.cluster import KafkaCluster

_TIMEOUT_S = 5


def accepts(address: str) -> bool:
    """Whether something listens at ``host:port``."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_TIMEOUT_S).close()
    except OSError:
        return False
    return True


def answers_ok(address: str, path: str) -> bool:
    """Whether an HTTP server at ``host:port`` answers GET ``path`` with 200."""
    connection = http.client.HTTPConnection(address, timeout=_TIMEOUT_S)  # noqa: TID251 - a server of this machine
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def is_kafka(cluster: KafkaCluster) -> bool:
    """Whether one of ``host:port,...`` is a Kafka broker that answers."""
    # A client that gets no connection leaves a thread behind: it is asked only where there is somebody to talk to.
    if not any(accepts(server) for server in cluster.servers):
        return False
    try:
        with cluster.admin(bootstrap_timeout_ms=_TIMEOUT_S * 1000):
            return True
    except KafkaError:
        return False
