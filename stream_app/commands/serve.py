"""``stream-app serve``."""

from typing import Annotated

import typer


def run(
    *,
    host: Annotated[str | None, typer.Option(help="The address to listen on; STREAM_APP_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="The port; 0 takes a free one; STREAM_APP_PORT.")
    ] = None,
    access_log: Annotated[bool, typer.Option("--access-log", help="Log every request.")] = False,
) -> None:
    """Show what is in Redis: the live page, the API and /metrics, by default on http://127.0.0.1:8080.

    Reads only, so start as many as you like. SIGTERM stops cleanly.
    """
    from stream_app.commands.serving import serve  # noqa: PLC0415 - the other commands need not load it
    from stream_app.logs import configure  # noqa: PLC0415 - same
    from stream_app.settings import load  # noqa: PLC0415 - same

    settings = load()
    configure(settings)
    serve(
        settings,
        settings.host if host is None else host,
        settings.port if port is None else port,
        access_log=access_log,
    )
