"""How Faust makes its clients, which are aiokafka's."""

from typing import Any

from faust import OAuthCredentials, SASLCredentials, SSLCredentials

from flatline.kafka.cluster import KafkaCluster
from flatline.kafka.mechanisms import AsyncNewestToken
from flatline.kafka.security import FreshContext, Security


def faust_settings(cluster: KafkaCluster) -> dict[str, Any]:
    """Return the settings of a Faust app that make its clients reach a cluster."""
    brokers = [f"aiokafka://{server}" for server in cluster.servers]
    return {"broker": brokers, "broker_credentials": _credentials(cluster.security)}


def _credentials(security: Security) -> Any:
    context = FreshContext(security) if security.has_tls else None
    secret = security.secret
    if secret is None:
        return None if context is None else SSLCredentials(context)
    if security.mechanism == "OAUTHBEARER":
        return OAuthCredentials(oauth_cb=AsyncNewestToken(secret), ssl_context=context)
    read_anew: Any = secret
    return SASLCredentials(
        username=security.username, password=read_anew, mechanism=security.mechanism, ssl_context=context
    )
