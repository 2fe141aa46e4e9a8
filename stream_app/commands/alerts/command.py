"""The group of commands."""

from __future__ import annotations

import typer

from . import back_test, send_test

cli = typer.Typer(
    help="Try alerts on the past before they are in force, and whether a message reaches everybody.",
    no_args_is_help=True,
    add_completion=False,
)
cli.command("test")(back_test.run)
cli.command("send-test")(send_test.run)
