"""The command line."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from stream_app import __version__
from stream_app.commands import (
    check,
    config,
    demo,
    forecast,
    intervals,
    kpis,
    rebuild,
    render,
    replay,
    schedules,
    serve,
    simulate,
    staffing,
    worker,
)
from stream_app.errors import BadSettingsError, StreamAppError

EX_CONFIG = 78

cli = typer.Typer(
    name="stream-app",
    help="Live contact-centre KPIs, right to the last contact.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
cli.command("worker")(worker.run)
cli.command("serve")(serve.run)
cli.command("simulate")(simulate.run)
cli.command("replay")(replay.run)
cli.command("intervals")(intervals.run)
cli.command("forecast")(forecast.run)
cli.command("demo")(demo.run)
cli.command("kpis")(kpis.run)
cli.command("staffing")(staffing.run)
cli.add_typer(config.cli, name="config")
cli.add_typer(schedules.cli, name="schedules")
cli.command("check")(check.run)
cli.command("rebuild")(rebuild.run)
cli.command("render")(render.run)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"stream-app {__version__}")
        raise typer.Exit


@cli.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Live contact-centre KPIs, right to the last contact."""
    del version


def main() -> None:
    """Run, and turn errors that are meant for people into one line and an exit code."""
    try:
        cli()
    except BadSettingsError as error:
        sys.stderr.write(f"stream-app: {error}\n")
        raise SystemExit(EX_CONFIG) from None
    except StreamAppError as error:
        sys.stderr.write(f"stream-app: {error}\n")
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
