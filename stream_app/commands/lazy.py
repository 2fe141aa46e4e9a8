"""A group of commands that imports only the one that is run, so that ``--help`` is quick.

The pattern is "Lazily Loading Subcommands" of click's documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command


def load(name: str, module: str) -> Any:
    """Import a command: the ``cli`` of its module if it is a group, otherwise its ``run``."""
    found = import_module(f"stream_app.commands.{module}")
    if (group := getattr(found, "cli", None)) is not None:
        command = get_command(group)
    else:
        single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        single.command(name)(found.run)
        command = get_command(single)
    command.name = name
    return command


def lazy(commands: Mapping[str, tuple[str, str]]) -> type[TyperGroup]:
    """Make the class of a group.

    Args:
        commands: name → its module below ``stream_app.commands`` and the line that ``--help`` shows, in the order of the list.
    """

    class Lazy(TyperGroup):
        """A group that imports a command when it is run, completed or asked for its help."""

        def list_commands(self, ctx: Any) -> list[str]:
            """Return the names of all commands."""
            del ctx
            return [*commands]

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            """Return a command, with no more than the list of all commands shows."""
            del ctx
            return TyperCommand(cmd_name, help=commands[cmd_name][1]) if cmd_name in commands else None

        def resolve_command(self, ctx: Any, args: list[str]) -> Any:
            """Return the command that is about to run, in full."""
            name, command, rest = super().resolve_command(ctx, args)
            return name, name and command and load(name, commands[name][0]), rest

    return Lazy
