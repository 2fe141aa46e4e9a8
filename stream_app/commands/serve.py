"""``stream-app serve``."""

from typing import Annotated

import typer

from stream_app.logs import configure
from stream_app.processes.serve import serve
from stream_app.settings import load


def run(
    *,
    host: Annotated[
        str | None, typer.Option(help="The address to listen on. Default: STREAM_APP_HOST.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="The port; 0 takes a free one. Default: STREAM_APP_PORT."),
    ] = None,
    access_log: Annotated[bool, typer.Option("--access-log", help="Log every request.")] = False,
) -> None:
    """Serve the wallboard, the API and /metrics from what is in Redis, by default on http://127.0.0.1:8080.

    It only reads, so start as many as you like. SIGTERM stops it cleanly.
    """
    settings = load()
    configure(settings)
    serve(
        settings,
        settings.host if host is None else host,
        settings.port if port is None else port,
        access_log=access_log,
    )
