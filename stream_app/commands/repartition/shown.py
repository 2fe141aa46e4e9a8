"""What ``repartition`` says before anything is moved."""

from __future__ import annotations

from collections.abc import Mapping

import typer

from stream_app.model.ports import Partition
from stream_app.model.presence import Presence

from .moves import Moves, Reassignment


def show(change: Reassignment, moves: Moves, partitioner: str) -> None:
    """Show how many contacts move."""
    typer.echo(
        f"{change.former} of {change.keyed} partitions → {change.topic} of {change.partitions}, by {partitioner}"
    )
    typer.echo(f"{'partition':<24}{'open contacts':>14}{'moving':>10}")
    for partition in change.old:
        n = len(moves.targets[partition.number])
        moving = n if change.elsewhere else moves.moving(partition.number)
        typer.echo(f"{partition!s:<24}{n:>14,}{moving:>10,}")
    if strangers := sum(moves.strangers.values()):
        stay = "move by it nevertheless" if change.elsewhere else "stay where they are"
        typer.echo(f"open contacts that are not where {partitioner} puts them: {strangers:,}; they {stay}")
    if not change.elsewhere and change.partitions % change.keyed:
        typer.echo(
            f"{change.partitions} is not a multiple of {change.keyed}: since the change, events of contacts that move between "
            "partitions that were read throughout may have been illegal"
        )


def show_agents(
    before: Mapping[Partition, Mapping[str, Presence]], after: Mapping[Partition, Mapping[str, Presence]]
) -> None:
    """Show how many agents move, where there are any: each partition's, before and after."""
    known, kept = (sum(map(len, one.values())) for one in (before, after))
    if not known:
        return
    moving = sum(
        agent not in before.get(partition, ()) for partition, mine in after.items() for agent in mine
    )
    typer.echo(f"agents: {kept:,}, of whom {moving:,} move")
    if more := known - kept:
        typer.echo(f"agents that several partitions know: {more:,} older presences are dropped")
