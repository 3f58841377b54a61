"""`flatline instances`: what Prometheus is told to scrape."""

from enum import StrEnum
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from flatline.cli.exit_codes import FAILED
from flatline.cli.grammar import noun
from flatline.cli.options import Json, with_settings
from flatline.errors import FlatlineError
from flatline.schema.instance import Instance
from flatline.settings import Settings

app = noun("Workers and ingests that Prometheus finds.")


class InstanceRole(StrEnum):
    """The processes that listen, named as their commands are."""

    WORKER = "worker"
    INGEST = "ingest"
    SERVE = "serve"
    CONNECT = "connect"


class UnknownInstanceError(FlatlineError):
    """Nothing is known at an address."""

    remedy = "`flatline instances list` shows the addresses."


@app.command("list")
@with_settings()
def show(*, as_json: Json = False, settings: Settings) -> None:
    """List what Prometheus is told to scrape.

    One that ended as it should is not listed. One that died is, until FLATLINE_FORGET_INSTANCE_AFTER_S has passed.
    """
    from flatline.admin.instances import known_instances
    from flatline.kafka.permissions import Role
    from flatline.kafka.permitted import refuse_not_permitted

    refuse_not_permitted(settings.cluster, settings.topics, Role.READ_MODEL)
    found = known_instances(settings).values()
    if as_json:
        for instance in found:
            typer.echo(orjson.dumps(_fields(instance)).decode())
        return
    table = Table("role", "address", "started", "last announced", box=None)
    for instance in found:
        times = (f"{time:%Y-%m-%d %H:%M:%S}" for time in (instance.started_at, instance.announced_at))
        table.add_row(instance.role, f"{instance.scheme}://{instance.address}", *times)
    Console().print(table)


@app.command()
@with_settings()
def forget(
    address: Annotated[str, typer.Argument(metavar="HOST:PORT", help="Address, as `flatline instances list` has it.")],
    *,
    settings: Settings,
) -> None:
    """Forget a worker or ingest that will not come back.

    Prometheus is no longer told of it. One that runs announces itself again within a minute.
    """
    from flatline.admin.instances import forget_instances, known_instances
    from flatline.kafka.permissions import Role
    from flatline.kafka.permitted import refuse_not_permitted

    refuse_not_permitted(settings.cluster, settings.topics, Role.OPERATOR)
    names = [name for name, instance in known_instances(settings).items() if instance.address == address]
    if not names:
        raise UnknownInstanceError(f"No worker or ingest is known at {address}.")
    forget_instances(settings, names)
    typer.echo(f"{address} is forgotten.")


@app.command()
@with_settings()
def check(
    role: Annotated[
        InstanceRole | None,
        typer.Argument(metavar="ROLE", help="worker, ingest, serve or connect; else all that listen."),
    ] = None,
    *,
    settings: Settings,
) -> None:
    """Ask the processes of this machine whether they are ready.

    It asks at the addresses of the settings, for container health checks. Exit code 1 if one is not ready, or none
    listens.
    """
    from flatline.doctor.readiness import readiness_here

    found = readiness_here(settings, [role] if role else list(InstanceRole))
    for each in found:
        typer.echo(f"{each.what}: {each.says}")
    if any(each.sign == "wrong" for each in found):
        raise typer.Exit(FAILED)


def _fields(instance: Instance) -> dict[str, Any]:
    return {
        "role": instance.role,
        "url": f"{instance.scheme}://{instance.address}",
        "started_at": instance.started_at,
        "announced_at": instance.announced_at,
        "forget_after_s": instance.forget_after_s,
    }
