"""``stream-app repartition``: open contacts and agents follow their topic to more partitions, or to another topic."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from stream_app.failpoints import Failpoints
from stream_app.settings import load

from .run import repartition


def run(
    *,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="TOPIC",
            help="Move contacts to this topic, to which producers already write. Default: the topic only got more partitions.",
            show_default=False,
        ),
    ] = None,
    partitioner: Annotated[
        str | None,
        typer.Option(
            help="How producers choose a contact's partition: murmur2 (Java), crc32 (librdkafka) or fnv1a (Sarama). Default: "
            "the one that puts every open contact where it is.",
            show_default=False,
        ),
    ] = None,
    wait: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="SECONDS",
            help="How long producers may take to notice the change: their metadata.max.age.ms.",
        ),
    ] = 300,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it. Without this, only show what would be done.")
    ] = False,
) -> None:
    """Move open contacts and agents to the partitions of their next events, after partitions were added to the topic.

    Nothing is lost or counted twice, however often it is killed and run again. Stop the workers first; start them again
    afterwards.
    """
    asyncio.run(
        repartition(
            load(),
            to=to,
            partitioner=partitioner,
            wait_s=wait,
            yes=yes,
            failpoints=Failpoints.from_environment(),
        )
    )
