"""Options that several commands share."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from flatline.settings import Settings, SettingsError, load_settings, variable_of

Command = Callable[..., None]

FLAGS: Final = {"policy_file": "--policy", "connectors_file": "--connectors"}
"""Names of options that differ from those of their settings."""
_METAVARS: Final = {
    "_file": "FILE",
    "_dir": "FOLDER",
    "_host": "ADDRESS",
    "_port": "PORT",
    "_zone": "ZONE",
    "_url": "URL",
    "_sites": "HOSTS",
}

Json = Annotated[bool, typer.Option("--json", help="Print JSON: one object per line.")]
RecordsFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="NDJSON, or CSV with a header; also .gz or .zst; - is stdin.")
]
Strict = Annotated[bool, typer.Option("--strict", help="End with exit code 4 if a line was rejected.")]
Yes = Annotated[bool, typer.Option("--yes", help="Make the change. Without this option, only show it.")]
Incomplete = Annotated[
    bool, typer.Option("--incomplete", help="Continue even if the oldest records of the log are gone.")
]
Article = Annotated[
    str, typer.Argument(metavar="ARTICLE", help="Any URL of the article, or the label `article` of its alerts.")
]
LinkFiles = Annotated[
    list[Path], typer.Argument(metavar="FILE", help="Link events as NDJSON, also .gz or .zst; - is stdin.")
]
Articles = Annotated[
    list[Path] | None,
    typer.Option("--articles", metavar="FILE", help="Article records as NDJSON or CSV. Repeatable."),
]
FileFormat = Annotated[
    str, typer.Option("--format", metavar="NAME", help="Format of the files; by default it is recognised.")
]
OwnSites = Annotated[
    list[str] | None,
    typer.Option("--site", metavar="HOST", help="Import only what leads to this site of yours. Repeatable."),
]
Source = Annotated[str, typer.Option(help="Source of the records; by default the format, such as ahrefs-export.")]
Visits = Annotated[
    list[Path] | None, typer.Option("--visits", metavar="FILE", help="Visits as NDJSON or CSV. Repeatable.")
]
Heartbeats = Annotated[
    list[Path] | None,
    typer.Option("--heartbeats", metavar="FILE", help="Heartbeats of sources as NDJSON. Repeatable."),
]


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date: write it as 2026-01-31.") from None


def day(flag: str, about: str) -> Any:
    """Return an option that takes a day (UTC)."""
    return Annotated[datetime | None, typer.Option(flag, metavar="DATE", parser=_day, help=about, show_default=False)]


On = day("--on", "With --from: explain as of the end of this day.")
Until = day("--until", "The last day; by default yesterday.")
WatchFrom = day("--watch-from", "Don't report articles that fell silent before this day.")


def setting(name: str, *, of: str = "", about: str = "") -> Any:
    """Return the option that overrides a setting. Its help names the variable and the default.

    ``of`` is what the setting's name begins with and the option's does not: ``worker_`` of ``worker_port``.
    """
    field = Settings.model_fields[name]
    default = "" if field.default is None or field.annotation is bool else f", else {field.default}"
    about = f"{about or field.description} [{variable_of(name)}{default}]"
    if field.annotation is bool:
        return Annotated[bool | None, typer.Option(flag_of(name, of), help=about, show_default=False)]
    metavar = next((word for end, word in _METAVARS.items() if name.endswith(end)), "NUMBER")
    return Annotated[str | None, typer.Option(flag_of(name, of), metavar=metavar, help=about, show_default=False)]


def flag_of(name: str, of: str = "") -> str:
    """Return what the option of a setting is called."""
    return FLAGS.get(name) or "--" + name.removeprefix(of).replace("_", "-")


def with_settings(*names: str, of: str = "", of_running: bool = True, about: str = "") -> Callable[[Command], Command]:
    """Give a command options for these settings and for the data folder; its ``settings`` obey them.

    A command that has a parameter of a setting's name is told what was typed, too. ``about`` is what there is to say of
    the data folder, if not the usual.
    """
    names = ("data_dir", *names)

    def decorate(command: Command) -> Command:
        own = signature(command, eval_str=True).parameters
        options = [
            Parameter(
                name,
                Parameter.KEYWORD_ONLY,
                default=None,
                annotation=setting(name, of=of, about=about if name == "data_dir" else ""),
            )
            for name in names
        ]

        @wraps(command)
        def run(*args: Any, **given: Any) -> None:
            typed = {name: value for name in names if (value := given.pop(name, None)) is not None}
            seen = {name: typed.get(name) for name in names if name in own}
            command(*args, **given, **seen, settings=_settings(typed, of=of, of_running=of_running))

        kept = [parameter for name, parameter in own.items() if name != "settings" and name not in names]
        run.__signature__ = signature(command).replace(parameters=[*kept, *options])  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*kept, *options)}
        return run

    return decorate


def _settings(typed: dict[str, Any], *, of: str, of_running: bool) -> Settings:
    try:
        settings = load_settings(of_running=of_running, **typed)
    except SettingsError as error:
        for name, reason in error.reasons.items():
            if name in typed:
                raise typer.BadParameter(f"{flag_of(name, of)} {typed[name]}: {reason}.") from None
        raise
    if settings.blog_platforms is not None:
        _know_blog_platforms(settings.blog_platforms)
    return settings


def _know_blog_platforms(domains: str) -> None:
    from flatline.domain.urls.canonical import set_further_blog_platforms

    try:
        set_further_blog_platforms(domains.split(","))
    except ValueError as error:
        raise SettingsError({"blog_platforms": str(error)}, {"blog_platforms": domains}) from None
