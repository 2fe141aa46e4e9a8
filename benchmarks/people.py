"""What it costs to follow 5,000 agents in 600 queues: a telling, a frame of the wallboard, a list, and what a page is sent."""

import time
from collections.abc import Callable
from random import Random
from statistics import median
from typing import Final

from stream_app.model.events import AgentState
from stream_app.model.fold.cells import NUMBERS, pack_cell
from stream_app.model.kpis import CARRIED
from stream_app.model.live.board import Board
from stream_app.model.live.snapshot import Snapshots
from stream_app.model.presence import Presence, Telling
from stream_app.model.targets import Targets
from stream_app.views.agents.query import parse_agents
from stream_app.views.agents.wire import agent_row
from stream_app.views.live import Live
from stream_app.views.wire import encode

from .figures import Figure
from .reading import FRESH, NOW, PARTITIONS

AGENTS: Final = 5_000
QUEUES: Final = [f"queue-{n:03}" for n in range(600)]
EACH: Final = 12
CHANGED: Final = 100
ROUNDS: Final = 5
LIMITS: Final = {"break": 15.0, "lunch": 30.0, "wrap": 2.0}


def measure() -> list[Figure]:
    """Seconds of CPU."""
    board, crowd = Board(NOW), _Crowd()
    for n, queue in enumerate(QUEUES):
        board.put_cells(
            f"t.{n % PARTITIONS}",
            10_000,
            NOW - NOW % 10_000,
            [((queue, "chat"), pack_cell({NUMBERS["offered"]: 1}))],
        )
    crowd.change(board, AGENTS)
    people, targets = board.people, Targets()
    snapshots, live = Snapshots(board, CARRIED), Live()
    live.publish(snapshots.take(targets), FRESH)

    telling = _least(lambda: crowd.change(board, CHANGED)) / CHANGED
    quiet = _least(lambda: live.publish(snapshots.take(targets), FRESH))
    frames = []
    for _ in range(ROUNDS):
        crowd.change(board, CHANGED)
        frames.append(_cpu(lambda: live.publish(snapshots.take(targets), FRESH)))
    asked = parse_agents({})

    def whole() -> list[bytes]:
        place = asked.place(LIMITS, NOW)
        wanted = sorted((now for now in people.agents() if asked.wants(now)), key=place)
        return [encode(agent_row(now, LIMITS, lambda _: None, at=NOW)) for now in wanted]

    def change() -> None:
        seen = people.changes
        crowd.change(board, CHANGED)
        encode([agent_row(now, LIMITS, lambda _: None) for _, now in people.changed(seen) or ()])

    return [
        Figure("people_telling_seconds", telling, "s"),
        Figure("people_frame_seconds", median(frames), "s", quiet, round(median(frames) / quiet, 3)),
        Figure("people_list_seconds", _least(whole), "s"),
        Figure("people_change_seconds", max(0, _least(change) - telling * CHANGED), "s"),
        Figure("people_list_bytes_per_agent", sum(map(len, whole())) / len(whole()), "bytes"),
    ]


class _Crowd:
    """Agents who go from state to state."""

    def __init__(self) -> None:
        self._rng = Random(7)
        self._known: dict[str, Presence] = {}
        self._n = 0

    def change(self, board: Board, count: int) -> None:
        """Let so many, one after the other, do something else."""
        rng = self._rng
        for _ in range(count):
            n, self._n = self._n % AGENTS, self._n + 1
            agent, at = f"agent-{n:05}", NOW - AGENTS + self._n % AGENTS
            event = AgentState(
                id=f"{self._n}",
                at=at,
                agent=agent,
                state=rng.choice(("available", "break", "wrap", "meeting")),
                queues=tuple(rng.sample(QUEUES, EACH)) if agent not in self._known else None,
                slots={"chat": 3},
                team=f"team-{n % 40}",
            )
            presence = self._known.get(agent, Presence()).tell(Telling.of(event)).shortened()
            self._known[agent] = presence
            board.put_agent(f"t.{n % PARTITIONS}", agent, presence)


def _cpu(do: Callable[[], object]) -> float:
    begun = time.process_time()
    do()
    return time.process_time() - begun


def _least(do: Callable[[], object]) -> float:
    return min(_cpu(do) for _ in range(ROUNDS))
