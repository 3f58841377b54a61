"""`flatline up`."""

import shlex
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from flatline.cli.options import with_settings
from flatline.settings import Settings

if TYPE_CHECKING:
    from flatline.local.stack import LocalStack

_KAFKA_PORT = 9092
_PROMETHEUS_PORT = 9090
_ALERTMANAGER_PORT = 9093
_BROKERS = (1, 3)

_FIRST_EVENT = """
Send a first event:
  curl http://{ingest}/v1/links -H "Authorization: Bearer $(cut -d: -f2 {tokens})" \\
    -H 'Content-Type: application/json' \\
    -d '{{"url_from": "https://elsewhere.example/post", "url_to": "https://yours.example/article"}}'

See what it led to, in a browser or by the API:
  http://{api}/
  curl http://{api}/api/v1/articles

Ctrl-C stops everything."""


@with_settings("workers", "policy_file", "connectors_file", of_running=False)
def up(
    *,
    secured: Annotated[
        bool, typer.Option("--secured", help="Start a Kafka with TLS, passwords and permissions.")
    ] = False,
    brokers: Annotated[
        int, typer.Option("--brokers", metavar="NUMBER", help="Number of Kafka brokers to start, 1 or 3.")
    ] = 1,
    settings: Settings,
) -> None:
    """Run everything on this machine until Ctrl-C.

    Starts Kafka, ingest, workers, the web page with its API, Prometheus and Alertmanager, and the connectors if
    there is a file connectors.toml. The next run with the same folder continues where this one ends. With
    FLATLINE_KAFKA_BOOTSTRAP set, it uses that Kafka and starts none. If a port is taken, it uses a free one.

    With --secured each process has a user of its own in Kafka, who may do what `flatline topics acls` prints. That
    Kafka has records of its own.

    With --brokers 3 each record has three replicas, and everything goes on without any one of the brokers. That Kafka
    has records of its own, too.
    """
    if brokers not in _BROKERS:
        raise typer.BadParameter("1 or 3 brokers can be started", param_hint="--brokers")
    if secured and brokers > 1:
        raise typer.BadParameter(
            "--secured starts one broker; leave one of the two options out", param_hint="--brokers"
        )
    run_until_stopped(settings, secured=secured, brokers=brokers)


def run_until_stopped(settings: Settings, *, secured: bool = False, brokers: int = 1) -> None:
    """Run everything until Ctrl-C. Raise `FlatlineError`."""
    from flatline.local.services import services_with_api
    from flatline.local.stack import LocalStack
    from flatline.local.stopping import until_stopped
    from flatline.policy_file import load_policy
    from flatline_connectors.runtime.config_file import load_sections
    from flatline_connectors.runtime.registry import KINDS

    console = Console(highlight=False)
    # Mistakes in files show before anything starts.
    load_policy(settings.policy_file)
    if settings.connectors_file.exists() or "connectors_file" in settings.model_fields_set:
        load_sections(settings.connectors_file, KINDS)
    workers = settings.workers
    preferred_ports = {
        "kafka": _KAFKA_PORT,
        "ingest": settings.ingest_port,
        "api": settings.serve_port,
        "connect": settings.connect_port,
        **{f"worker-{number}": settings.worker_port + number - 1 for number in range(1, workers + 1)},
        "prometheus": _PROMETHEUS_PORT,
        "alertmanager": _ALERTMANAGER_PORT,
    }
    installation = LocalStack(
        settings.data_dir,
        settings,
        workers=workers,
        secured=secured,
        brokers=brokers,
        services=services_with_api,
        preferred_ports=preferred_ports,
        say=lambda line: console.print(line, markup=False, soft_wrap=True),
    )
    with until_stopped(), installation as stack:
        _show(stack, console)
        stack.wait()
    console.print("Stopped.")


def _show(stack: "LocalStack", console: Console) -> None:
    table = Table(box=None, show_header=False)
    for name, address in stack.addresses.items():
        table.add_row(name, address if name == "kafka" else f"http://{address}")
    table.add_row("folder", str(stack.settings.data_dir))
    table.add_row("logs", str(stack.settings.data_dir / "logs"))
    console.print(table, soft_wrap=True)
    tokens = shlex.quote(str(stack.settings.ingest_tokens_file))
    first_event = _FIRST_EVENT.format(ingest=stack.addresses["ingest"], tokens=tokens, api=stack.addresses["api"])
    console.print(first_event, markup=False, soft_wrap=True)
