"""`flatline worker`."""

import logging

from flatline.cli.logs import set_up_logs
from flatline.cli.options import with_settings
from flatline.settings import Settings, load_settings

log = logging.getLogger("flatline.worker")


@with_settings("worker_host", "worker_port", "policy_file", "watch_list_size", "session_timeout_s", of="worker_")
def worker(*, settings: Settings, worker_port: str | None) -> None:
    """Run one worker until it is stopped: count links and judge articles.

    Start more workers to share the load. Each has its own metrics, at the address that it logs first, and Prometheus
    finds it. Without --port or FLATLINE_WORKER_PORT it takes the first free port from 8711 on. It creates missing
    topics, and refuses to start when a topic is wrong or the state was lost.
    """
    from flatline.admin.topics import check_topics, ensure_topics, message_bytes_max
    from flatline.generations import serving_generation, topics_of
    from flatline.kafka.permissions import Role
    from flatline.local.ports import first_free, is_free
    from flatline.policy_file import load_policy
    from flatline.rebuild.lost_state import refuse_lost_state
    from flatline.worker.app import UnfitError, run_worker

    set_up_logs(settings, level=logging.INFO)
    load_policy(settings.policy_file)  # a mistake in it shows before anything is created
    if worker_port is None and "worker_port" not in load_settings(of_running=False).model_fields_set:
        settings = settings.model_copy(update={"worker_port": first_free(settings.worker_host, settings.worker_port)})
    if not is_free(settings.worker_host, settings.worker_port):
        address = f"{settings.worker_host}:{settings.worker_port}"
        raise UnfitError(
            f"A worker can't listen on {address}.", remedy="Choose another with --port or FLATLINE_WORKER_PORT."
        )
    generation = serving_generation(settings, Role.WORKER)
    topics = topics_of(settings, generation)
    ensure_topics(settings.cluster, topics.all())
    for difference in check_topics(settings.cluster, topics.all()):
        log.warning("%s %s", difference.says, difference.remedy)
    refuse_lost_state(settings.cluster, topics)
    bytes_max = message_bytes_max(settings.cluster, topics.all())
    run_worker(settings, generation, bytes_max=bytes_max)
