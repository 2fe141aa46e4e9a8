"""``stream-app simulate``."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from stream_app.producer import Topic
    from stream_app.simulation.session import Wishes


def run(
    *,
    rate: Annotated[
        float, typer.Option(min=0.01, max=1e6, help="Events a second in the busiest hour.")
    ] = 20.0,
    seed: Annotated[int, typer.Option(help="The same seed, start and options give the same bytes.")] = 1,
    speed: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            help="Seconds of the centre per second. Live traffic can't overtake the clock: above 1 it begins "
            "--history ago (an hour) and catches up. Default: 1; no limit with --out, --start or --history.",
        ),
    ] = None,
    duration: Annotated[
        str | None,
        typer.Option(help="How long, in the centre's time: 90s, 10m. Default: no end; 1h for files."),
    ] = None,
    history: Annotated[str | None, typer.Option(help="Begin this long ago, and then go on live.")] = None,
    start: Annotated[
        str | None, typer.Option(help="Begin then (RFC 3339, UTC without an offset) instead of now.")
    ] = None,
    time_of_day: Annotated[
        str | None,
        typer.Option(
            help="What the centre's clock shows at the start, HH:MM. Default: 10:00 live, else UTC."
        ),
    ] = None,
    incident: Annotated[
        list[str] | None,
        typer.Option(
            help="spike@10m, outage@10m or silence@10m, with ,for=5m ,times=8 (a spike's) ,queue=billing. "
            "May repeat."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Write NDJSON there (- is stdout) instead of into Kafka."),
    ] = None,
    stamps: Annotated[Literal["epoch", "rfc3339"], typer.Option(help="How times are written.")] = "epoch",
    compression: Annotated[Literal["none", "lz4"], typer.Option(help="Of Kafka's batches.")] = "none",
) -> None:
    """Play a contact centre into Kafka (KAFKA_BOOTSTRAP_SERVERS, STREAM_APP_TOPIC), or into a file.

    Three voice queues, chat, messaging and e-mail with arrivals by time of day, agents with shifts, customers
    without patience. Waits are nobody's setting, they emerge. Without --out and --start the traffic is live.
    Ctrl-C stops.
    """
    from stream_app.simulation.session import Wishes, simulate  # noqa: PLC0415 - other commands need not load it

    simulate(
        Wishes(
            rate=rate,
            seed=seed,
            speed=speed,
            duration=duration,
            history=history,
            start=start,
            time_of_day=time_of_day,
            incidents=incident or [],
            out=out,
            stamps=stamps,
            compression=compression,
        ),
        _topic,
    )


def _topic(wishes: "Wishes") -> "Topic":
    """The settings' topic; a file needs neither Kafka nor settings."""
    from stream_app.kafka import security  # noqa: PLC0415 - loads ssl
    from stream_app.producer import Topic  # noqa: PLC0415 - same
    from stream_app.settings import load  # noqa: PLC0415 - same

    settings = load()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what matters of it is raised, too
    return Topic(security(settings), settings.topic, wishes.compression)
