"""What `flatline sites` does with site records: whose a site is, and who is told about it."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from flatline.cli.options import Json, RecordsFile, Strict, Yes, with_settings
from flatline.cli.terminal_text import plain
from flatline.clock import clock_from
from flatline.errors import FlatlineError
from flatline.schema.rejection import Rejected
from flatline.settings import Settings

if TYPE_CHECKING:
    from flatline.domain.sites import Sites
    from flatline.schema.site_record import SiteRecord

_Domain = Annotated[str, typer.Argument(metavar="DOMAIN", help="The site's host, such as blog.example.")]
_HEADING: Final = (
    "# Made of {file} by `flatline sites list --alertmanager`. Write the webhook of each channel to the file that its\n"
    "# receivers name, and make this anew after a change.\n"
)


class NoConfigurationError(FlatlineError):
    """A file is no configuration of Alertmanager with routes."""

    remedy = "Name your own alertmanager.yml, or that of Flatline: deploy/alertmanager/alertmanager.yml."


@with_settings()
def list_sites(
    *,
    alertmanager: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Print this configuration of Alertmanager instead, with routes for each channel and time zone.",
        ),
    ] = None,
    json: Json = False,
    settings: Settings,
) -> None:
    """List the sites that have a record.

    With --alertmanager, print a configuration that sends the alerts on each site to its channel, in its hours.
    """
    configuration = None if alertmanager is None else _configuration(alertmanager)
    records = list(_records(settings))
    if alertmanager is not None and configuration is not None:
        _print_routes(alertmanager, configuration, records)
        return
    if json:
        for record in records:
            _print_json(record)
        return
    table = Table("domain", "role", "owner", "channel", "time zone", box=None)
    for record in records:
        about = (record.domain, record.role, record.owner, record.channel, record.time_zone)
        table.add_row(*(Text(plain(each or "")) for each in about))
    Console().print(table)


@with_settings()
def show_site(domain: _Domain, *, json: Json = False, settings: Settings) -> None:
    """Show the record that holds for a site."""
    host = _host(domain)
    record = _records(settings).at(host)
    if record is None:
        raise typer.BadParameter(f"{host} has no record: `flatline sites list` lists those that have one")
    if json:
        _print_json(record)
        return
    rules = [f"{rule.path}: {rule.series}" for rule in record.series]
    table = Table(show_header=False, box=None)
    for name, lines in (
        ("domain", [record.domain]),
        ("role", [record.role]),
        ("aliases", record.aliases),
        ("owner", [record.owner or ""]),
        ("channel", [record.channel or ""]),
        ("time zone", [record.time_zone or ""]),
        ("listings", record.listings),
        ("series", rules),
        ("ignored parameters", record.ignored_parameters),
    ):
        table.add_row(name, Text("\n".join(map(plain, lines))))
    Console().print(table)


@with_settings()
def add_site(
    domain: _Domain,
    *,
    role: Annotated[str, typer.Option(help="own, or peer: judged for comparison, without alerts.")] = "own",
    alias_domain: Annotated[list[str] | None, typer.Option(help="Another host of the site. Repeatable.")] = None,
    owner: Annotated[str, typer.Option(help="The team that is responsible.")] = "",
    channel: Annotated[str, typer.Option(help="The Slack channel of its alerts.")] = "",
    time_zone: Annotated[str, typer.Option(help="The time zone of its hours, such as Europe/Paris.")] = "",
    listing: Annotated[list[str] | None, typer.Option(help="URL of a sitemap or feed. Repeatable.")] = None,
    series_rule: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH=SERIES", help="Series of the articles below a path. Repeatable."),
    ] = None,
    ignored_parameter: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A query parameter that never names an article, such as promo or ab_*: links to addresses with and "
            "without it count for one article. Repeatable.",
        ),
    ] = None,
    settings: Settings,
) -> None:
    """Write the record of a site. It replaces the former one whole."""
    from flatline.generations import serving_topics
    from flatline.kafka.permissions import Role
    from flatline_connectors.sending import sites
    from flatline_connectors.sending.producer import Producer

    texts = {
        "domain": domain,
        "role": role,
        "aliases": " ".join(alias_domain or ()),
        "owner": owner,
        "channel": channel,
        "time_zone": time_zone,
        "listings": " ".join(listing or ()),
        "series": ";".join(series_rule or ()),
        "ignored_parameters": " ".join(ignored_parameter or ()),
    }
    try:
        site = sites.prepare(sites.from_texts(texts))
    except Rejected as rejected:
        raise typer.BadParameter(rejected.detail) from None
    topics = serving_topics(settings, Role.CONNECTORS)
    with Producer(settings.cluster, topics, now_ms=clock_from(settings).now_ms) as producer:
        producer.send_site(site)
    typer.echo(site.record.domain)


@with_settings()
def import_sites(
    file: RecordsFile,
    *,
    strict: Strict = False,
    json: Json = False,
    settings: Settings,
) -> None:
    """Write the records of a file.

    NDJSON has one site record per line. CSV has these columns in any order: domain, role, aliases, owner, channel,
    time_zone, listings, ignored_parameters (lists separated by spaces), series (/guides=Guides; /notes=Field notes).
    Only domain is required. Lines that can't be read go to the dead-letter topic with the reason.
    """
    from flatline.cli.importing import ImportRoute, import_all
    from flatline_connectors.sending import sites
    from flatline_connectors.sending.producer import Producer

    def route(producer: Producer) -> ImportRoute[sites.PreparedSite]:
        return ImportRoute(sites.prepare, producer.send_site, as_lines=sites.TABLE.as_ndjson)

    import_all([file], route, settings, as_json=json, is_strict=strict)


@with_settings()
def remove_site(domain: _Domain, *, yes: Yes = False, settings: Settings) -> None:
    """Remove the record of a site. Its articles, and what is known of them, stay."""
    from flatline.generations import serving_topics
    from flatline.kafka.permissions import Role
    from flatline_connectors.sending.producer import Producer

    host = _host(domain)
    if host not in {record.domain for record in _records(settings)}:
        raise typer.BadParameter(f"{host} has no record: `flatline sites list` lists those that have one")
    if not yes:
        typer.echo(f"{host} has a record. Nothing was removed. Add --yes to do it.")
        return
    topics = serving_topics(settings, Role.CONNECTORS)
    with Producer(settings.cluster, topics, now_ms=clock_from(settings).now_ms) as producer:
        producer.remove_site(host)
    typer.echo(f"The record of {host} is removed.")


def _records(settings: Settings) -> "Sites":
    from flatline.generations import serving_topics
    from flatline.kafka.permissions import Role
    from flatline.readmodel.latest_sites import latest_sites

    return latest_sites(settings.cluster, serving_topics(settings, Role.READ_MODEL))


def _host(domain: str) -> str:
    from flatline.domain.sites import canonical_domain

    try:
        return canonical_domain(domain, field="domain")
    except Rejected as rejected:
        raise typer.BadParameter(rejected.detail) from None


def _print_json(record: "SiteRecord") -> None:
    fields = {name: getattr(record, name) for name in record.__struct_fields__ if name != "version"}
    sys.stdout.buffer.write(msgspec.json.encode(fields) + b"\n")


def _configuration(file: Path) -> dict[str, Any]:
    import yaml

    try:
        configuration: dict[str, Any] = yaml.safe_load(file.read_text())
        if configuration["route"]["routes"] and configuration["receivers"]:
            return configuration
        reason: object = "it has no routes"
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = error
    except (KeyError, TypeError):
        reason = "it has no routes or no receivers"
    raise NoConfigurationError(f"{file} is no configuration of Alertmanager: {reason}")


def _print_routes(file: Path, configuration: dict[str, Any], records: "Iterable[SiteRecord]") -> None:
    import yaml

    from flatline.local.site_routes import destinations, with_routes

    whole = with_routes(configuration, destinations(records))
    typer.echo(_HEADING.format(file=file), nl=False)
    typer.echo(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True), nl=False)
