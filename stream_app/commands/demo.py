"""``stream-app demo``."""

from typing import Annotated

import typer


def run(
    *,
    rate: Annotated[
        float, typer.Option(min=0.1, max=2_000, help="Events a second in the busiest hour.")
    ] = 10.0,
    seed: Annotated[int, typer.Option(help="Another seed, another day.")] = 1,
    port: Annotated[
        int, typer.Option(min=1, max=65_535, help="Of the wallboard; else the next free one.")
    ] = 8080,
    incident: Annotated[
        list[str] | None,
        typer.Option(help="As simulate's: spike@2m, outage@5m,for=3m, silence@10m. May repeat."),
    ] = None,
    past: Annotated[
        str,
        typer.Option(help="So much was before: it is simulated and counted in the background; 0 is nothing."),
    ] = "30d",
    duration: Annotated[
        str | None, typer.Option(help="Stop after this long: 90s, 10m. Default: Ctrl-C.")
    ] = None,
) -> None:
    """Show everything at work with nothing but Python: broker, Redis, contact centre, worker, API, wallboard.

    All of it runs on 127.0.0.1 and in a temporary directory; Ctrl-C stops it and leaves nothing behind.
    """
    from stream_app.demo.show import Wishes, run as run_demo  # noqa: PLC0415 - others need not load it
    from stream_app.errors import BadSettingsError  # noqa: PLC0415 - same
    from stream_app.simulation.incidents import milliseconds, parse  # noqa: PLC0415 - same

    for text in incident or []:
        parse(text, 0)  # complain here, not in a child's log
    lengths: dict[str, float | None] = {}
    given: tuple[tuple[str, str | None], ...] = (("--duration", duration), ("--past", past))
    for option, length in given:
        try:
            lengths[option] = None if length is None else milliseconds(length) / 1000
        except ValueError as error:
            raise BadSettingsError(f"{option}: {error}") from None
    run_demo(
        Wishes(
            rate=rate,
            seed=seed,
            port=port,
            incidents=incident or [],
            duration_s=lengths["--duration"],
            past=past if lengths["--past"] else None,
        )
    )
