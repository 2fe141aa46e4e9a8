"""Agents on a board, for tests of views."""

from collections.abc import Sequence
from random import Random
from typing import Any

from stream_app.model.events import AgentState, ContactInHand
from stream_app.model.fold.visit import Visit, VisitState
from stream_app.model.live.board import Board
from stream_app.model.presence import Presence, Telling


class Agents:
    """Tells what agents do, as their partition would."""

    def __init__(self, board: Board, partition: str = "t.0") -> None:
        self.board = board
        self._partition = partition
        self._known: dict[str, Presence] = {}

    def tell(self, agent: str, state: Any, ago_s: float = 0, **more: Any) -> None:
        """Tell a state that began so many seconds before now; ``more`` as in the event."""
        at = self.board.now - round(ago_s * 1000)
        event = AgentState(id=f"{agent}:{at}", at=at, agent=agent, state=state, **more)
        presence = self._known.get(agent, Presence()).tell(Telling.of(event)).shortened()
        self._known[agent] = presence
        self.board.put_agent(self._partition, agent, presence)

    def forget(self, agent: str) -> None:
        del self._known[agent]
        self.board.put_agent(self._partition, agent, None)

    def has(self, agent: str, contact: str, queue: tuple[str, str], state: VisitState, ago_s: float) -> None:
        """Let an agent have a contact, as it is counted."""
        at = self.board.now - round(ago_s * 1000)
        visit = Visit(*queue, state, at, at, 20_000, 5_000, b"12345678", agent=agent)
        self.board.put_visits(self._partition, contact, [visit])


def staff(agents: Agents) -> None:
    """A few who do everything that there is: sales is called, care is written to."""
    agents.tell("ann", "available", 125, queues=("sales",), team="red", site="Leeds")
    agents.tell("ben", "available", 40, queues=("sales", "care"), slots={"chat": 3}, team="red", site="Leeds")
    agents.tell("cleo", "break", 1_260, queues=("sales", "care"), reason="lunch", team="blue", site="York")
    agents.tell("dan", "available", 500, queues=("sales", "care"), team="blue", site="York")
    agents.tell("dan", "meeting", 300, queue="care")
    agents.tell("eve", "wrap", 95, queues=("sales",), for_s=60, team="blue", site="York")
    agents.tell("fay", "available", 900, queues=("care",), slots={"chat": 2}, team="red", site="Leeds")
    agents.tell("gus", "offline", 60, queues=("sales",))
    agents.has("dan", "call-1", ("sales", "voice"), VisitState.HELD, 200)
    agents.has("fay", "chat-1", ("care", "chat"), VisitState.TALKING, 700)
    agents.has("fay", "chat-2", ("care", "chat"), VisitState.WRAPPING, 30)


def crowd(board: Board, count: int, queues: Sequence[tuple[str, str]], each: int = 4) -> Agents:
    """So many agents, each of whom serves some of the queues."""
    agents, rng = Agents(board), Random(7)
    for n in range(count):
        served = tuple({queue for queue, _ in rng.sample(queues, min(each, len(queues)))})
        state = rng.choice(("available", "available", "available", "break", "meeting", "wrap"))
        reason = rng.choice(("lunch", "coffee", None)) if state == "break" else None
        agents.tell(
            f"agent-{n:05}",
            state,
            rng.randrange(1, 3_600),
            reason=reason,
            queues=served,
            team=f"team-{n % 40:02}",
            site=("Leeds", "York")[n % 2],
            slots={"chat": 3} if n % 3 == 0 else None,
            contacts=(ContactInHand(f"c-{n}", "connected", "chat", served[0]),) if n % 6 == 0 else None,
        )
    return agents
