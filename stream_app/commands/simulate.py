"""``stream-app simulate``."""

import logging
from pathlib import Path
from typing import Annotated, Literal

import typer

from stream_app.kafka.connection import security
from stream_app.kafka.producer import Topic
from stream_app.settings import load
from stream_app.simulation.session import SimulationOptions, simulate


def run(
    *,
    rate: Annotated[
        float, typer.Option(min=0.01, max=1e6, help="Events per second in the busiest hour.")
    ] = 20.0,
    seed: Annotated[int, typer.Option(help="The same seed, start and options give the same bytes.")] = 1,
    speed: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            help="Simulated seconds per second. Live traffic can't overtake the clock: above 1 it begins --history ago (one "
            "hour) and catches up. Default: 1; no limit with --out, --start or --history.",
        ),
    ] = None,
    duration: Annotated[
        str | None,
        typer.Option(help="How long, in simulated time: 90s, 10m. Default: no end; 1h for files."),
    ] = None,
    history: Annotated[
        str | None, typer.Option(help="Begin this long ago, catch up, and go on live.")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(help="Begin at this time (RFC 3339, UTC if it has no offset) instead of now."),
    ] = None,
    time_of_day: Annotated[
        str | None,
        typer.Option(help="The centre's local time at the start, HH:MM. Default: 10:00 live, else UTC."),
    ] = None,
    tz: Annotated[
        str | None, typer.Option(help="The centre's IANA time zone at the start, instead of --time-of-day.")
    ] = None,
    week: Annotated[
        bool,
        typer.Option(
            "--week", help="Quiet weekends. Default: all days are alike, and --rate is that of each."
        ),
    ] = False,
    holiday: Annotated[
        list[str] | None, typer.Option(metavar="DATE", help="With --week: closed on this day. May repeat.")
    ] = None,
    brief: Annotated[
        bool,
        typer.Option(
            "--brief", help="Only the events that interval rows count: no surveys, notes or agent states."
        ),
    ] = False,
    incident: Annotated[
        list[str] | None,
        typer.Option(
            help="spike@10m, outage@10m or silence@10m, optionally with ,for=5m ,times=8 (for a spike) ,queue=billing. "
            "May repeat."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Write NDJSON to this file (- is standard output) instead of Kafka."),
    ] = None,
    stamps: Annotated[Literal["epoch", "rfc3339"], typer.Option(help="Format of times.")] = "epoch",
    compression: Annotated[
        Literal["none", "lz4"], typer.Option(help="Compression of Kafka batches.")
    ] = "none",
) -> None:
    """Simulate a contact centre; write its events to Kafka (KAFKA_BOOTSTRAP_SERVERS, STREAM_APP_TOPIC) or a file.

    Three voice queues, chat, messaging and e-mail, with arrivals by time of day, agents with shifts, and impatient
    customers. Waits are not configured: they result from the traffic and the staff. Without --out and --start the traffic is
    live. Ctrl-C stops it.
    """
    simulate(
        SimulationOptions(
            rate=rate,
            seed=seed,
            speed=speed,
            duration=duration,
            history=history,
            start=start,
            time_of_day=time_of_day,
            zone=tz,
            week=week,
            holidays=holiday or [],
            brief=brief,
            incidents=incident or [],
            out=out,
            stamps=stamps,
            compression=compression,
        ),
        _topic,
    )


def _topic(options: "SimulationOptions") -> "Topic":
    """Return the configured topic; output to a file needs neither Kafka nor settings."""
    settings = load()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what matters is raised as well
    return Topic(security(settings), settings.topic, options.compression)
