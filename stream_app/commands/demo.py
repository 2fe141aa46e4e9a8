"""``stream-app demo``."""

from typing import Annotated

import typer

from stream_app.demo.show import DemoOptions, run as run_demo
from stream_app.errors import BadSettingsError
from stream_app.simulation.incidents import milliseconds, parse


def run(
    *,
    rate: Annotated[
        float, typer.Option(min=0.1, max=2_000, help="Events per second in the busiest hour.")
    ] = 10.0,
    seed: Annotated[int, typer.Option(help="Another seed gives another day.")] = 1,
    port: Annotated[
        int, typer.Option(min=1, max=65_535, help="Port of the wallboard; if it is taken, the next free one.")
    ] = 8080,
    incident: Annotated[
        list[str] | None,
        typer.Option(
            help="An incident, as for simulate: spike@2m, outage@5m,for=3m, silence@10m. May repeat."
        ),
    ] = None,
    past: Annotated[
        str,
        typer.Option(help="History to simulate and back-fill in the background; 0 for none."),
    ] = "56d",
    duration: Annotated[
        str | None, typer.Option(help="Stop after this long: 90s, 10m. Default: Ctrl-C.")
    ] = None,
) -> None:
    """Run everything with nothing but Python: broker, Redis, simulated contact centre, worker, API, wallboard.

    It runs on 127.0.0.1 and in a temporary directory; Ctrl-C stops it and leaves nothing behind.
    """
    for text in incident or []:
        parse(text, 0)  # report errors here, not in a child process's log
    lengths: dict[str, float | None] = {}
    given: tuple[tuple[str, str | None], ...] = (("--duration", duration), ("--past", past))
    for option, length in given:
        try:
            lengths[option] = None if length is None else milliseconds(length) / 1000
        except ValueError as error:
            raise BadSettingsError(f"{option}: {error}") from None
    run_demo(
        DemoOptions(
            rate=rate,
            seed=seed,
            port=port,
            incidents=incident or [],
            duration_s=lengths["--duration"],
            past=past if lengths["--past"] else None,
        )
    )
