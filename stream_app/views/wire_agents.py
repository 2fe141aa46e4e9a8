"""What the agents of a queue do, and how long its next contact will wait, as the HTTP interface sends it."""

from typing import Annotated

from msgspec import Meta, Struct

from stream_app.model.live.agent_now import AgentCounts
from stream_app.model.live.expected_wait import ExpectedWait

from .stamping import Time, stamp


class DoingCount(Struct, frozen=True, gc=False):
    """How many agents of a queue do something."""

    count: int
    since: Annotated[
        Time | None, Meta(description="When the one began who has done it the longest; null: nobody does")
    ]


class Slots(Struct, frozen=True, gc=False):
    """How many contacts of a channel may be had at once."""

    slots: Annotated[int, Meta(description="Contacts that may be had at once")]
    used: Annotated[int, Meta(description="How many of these there are")]
    free: Annotated[int, Meta(description="How many more there may be")]


class NextWait(Struct, frozen=True, gc=False):
    """A wait that is expected, in seconds."""

    mean_s: Annotated[int, Meta(description="Mean of such waits")]
    low_s: Annotated[int, Meta(description="A tenth of such waits are shorter")]
    high_s: Annotated[int, Meta(description="A tenth of such waits are longer")]


class QueueAgents(Struct, frozen=True, gc=False):
    """What the agents of a queue do now, in all of its channels together. Who is offline is not counted."""

    available: DoingCount
    on_contact: DoingCount
    wrap: DoingCount
    away: Annotated[DoingCount, Meta(description="On a break, in a training, in a meeting")]
    slots: Annotated[
        dict[str, Slots],
        Meta(
            description="Channel → slots of the agents who are available; a channel that is not told is not there"
        ),
    ]


def next_wait(wait: ExpectedWait) -> NextWait:
    """Return an expected wait in whole seconds."""
    return NextWait(round(wait.mean), round(wait.low), round(wait.high))


def queue_agents(counts: AgentCounts) -> QueueAgents:
    """Return what a queue's agents do."""
    doing = {
        name: DoingCount(found.count, None if found.since is None else stamp(found.since))
        for name, found in counts.doing.items()
    }
    slots = {channel: Slots(use.slots, use.used, use.free) for channel, use in counts.slots.items()}
    return QueueAgents(**doing, slots=slots)
