"""Finds commands: a noun, then its verb. For a wrong word it suggests the right one."""

import re
from textwrap import fill
from typing import Any, ClassVar, Final

import typer
from typer.core import TyperGroup

from flatline.cli.exit_codes import MEANINGS
from flatline.cli.suggestions import Verbs, suggestion

_WORDS_MAX: Final = 2
_NAME_COLUMNS: Final = 14
_COLUMNS: Final = 80
_OPTIONS: Final = "[--help | --version | --install-completion]"
# Typer's names of types, which are Python's, and those that other programs use.
_TYPE: Final = re.compile(r"<(?:list\[)?(.+?)\]?>")
_VALUES: Final = {"str": "TEXT", "int": "NUMBER", "int range": "NUMBER", "float range": "NUMBER", "path": "FILE"}


class Noun(TyperGroup):
    """A group of commands that suggests one in place of a wrong word."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 (typer's signature)
        """Return the commands in the order in which they were declared."""
        return list(self.commands)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of a name, or None. Its help names values as other programs do."""
        command = super().get_command(ctx, cmd_name)
        for param in getattr(command, "params", ()):
            _name_value(param, ctx)
        return command

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse an option that is none of the group's. Raises typer's usage error."""
        option = args[0].partition("=")[0] if args else ""
        if option.startswith("-") and option not in _options(self, ctx) and not ctx.resilient_parsing:
            what = f"No such option: {option}."
            for name, command in self.commands.items():
                if option in _options(command, ctx):
                    ctx.fail(f"{what} Did you mean `{ctx.command_path} {name} {option}`?")
            self._refuse(ctx, [option, *args[1:]], what)
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the named command. Raises typer's usage error, with a suggestion."""
        if self.get_command(ctx, args[0]) is None and not ctx.resilient_parsing:
            self._refuse(ctx, args, f"No such command: {args[0]}.")
        return super().resolve_command(ctx, args)

    def _refuse(self, ctx: Any, args: list[str], what: str) -> None:
        root = ctx.find_root()
        before = ctx.command_path.split()[len(root.command_path.split()) :]
        words = [*before, *args][:_WORDS_MAX]
        ctx.fail(f"{what} {suggestion(words, verbs_of(root.command))}")


class Commands(Noun):
    """All commands, by what they are for. Their help is one screen."""

    sections: ClassVar[dict[str, tuple[str, ...]]] = {}

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 (typer's signature)
        """Return the commands in the order of the sections."""
        return [name for names in self.sections.values() for name in names]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        formatter.write(f"Usage: {ctx.command_path} {_OPTIONS} COMMAND [ARGS]...\n{self.help}\n")
        for section, names in self.sections.items():
            formatter.write(f"\n{section}\n")
            for name in names:
                command = self.commands[name]
                verbs = ", ".join(getattr(command, "commands", ()))
                about = str(command.short_help) + (f" ({verbs})" if verbs else "")
                formatter.write(f"  {name:{_NAME_COLUMNS}}{about}\n")
        codes = ", ".join(f"{code} {meaning}" for code, meaning in MEANINGS.items())
        formatter.write(f"\n{fill(f'Exit codes: {codes}', _COLUMNS, subsequent_indent='  ')}\n")


def _options(command: Any, ctx: Any) -> set[str]:
    return {name for param in command.get_params(ctx) for name in param.opts}


def _name_value(param: Any, ctx: Any) -> None:
    if param.param_type_name == "argument":
        param.display_type_rich = lambda **_: None  # it has a name already
    elif param.metavar is None and not param.is_flag and (found := _TYPE.fullmatch(param.display_type(ctx))):
        param.metavar = _VALUES.get(found[1], f"[{found[1]}]")


def verbs_of(command: Any) -> Verbs:
    """Return the verbs of each command of a group."""
    return {name: list(getattr(each, "commands", ())) for name, each in command.commands.items()}


def noun(about: str, **options: Any) -> typer.Typer:
    """Return a noun, to which verbs are added."""
    app = typer.Typer(cls=Noun, help=about, no_args_is_help=True, rich_markup_mode=None, **options)
    # A callback keeps a single verb a command of its own.
    app.callback()(lambda: None)
    return app
