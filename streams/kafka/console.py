"""The command that shows a topic's records in a shell, with the settings that this program has."""

import shlex

from flatline.kafka.cluster import KafkaCluster
from flatline.kafka.security import Security


def console_consumer(cluster: KafkaCluster, topic: str) -> str | None:
    """Return a line for a POSIX shell that prints all records of a topic; None where no command line can get in.

    It holds no password: the shell reads that from its file when the command is run.
    """
    options = _options(cluster.security)
    if options is None:
        return None
    reading = ["-t", topic, "-f", "full", "-C", "auto_offset_reset=earliest"]
    return " ".join(["python -m kafka.consumer -b", shlex.quote(str(cluster)), *options, shlex.join(reading)])


def _options(security: Security) -> list[str] | None:
    if security.protocol == "PLAINTEXT":
        return []
    if security.has_sasl and security.mechanism == "OAUTHBEARER":
        return None  # its command line takes no token
    options = ["-S", security.protocol]
    if security.has_sasl:
        assert security.username is not None, "checked by Security"
        assert security.password_file is not None, "checked by Security"
        password = f'"$(cat {shlex.quote(str(security.password_file))})"'
        options += ["-M", security.mechanism, "-U", shlex.quote(security.username), "-P", password]
    files = {
        "ssl_cafile": security.ca_file,
        "ssl_certfile": security.certificate_file,
        "ssl_keyfile": security.key_file,
    }
    for name, path in files.items():
        if path is not None:
            options += ["-C", shlex.quote(f"{name}={path}")]
    return options
