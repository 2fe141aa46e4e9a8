"""A queue at work: its settings and all that is drawn for it, its line, its agents, its ledger row."""

from collections.abc import Sequence
from random import Random
from typing import Final

from .arrivals import Arrivals
from .floor import Agent, Line, Pool
from .incidents import Incident
from .ledger import Ledger
from .settings import HOUR, Duration, Queue, Settings
from .staffing import Shift, shifts

LONGEST_WRAP: Final = 25 * 60_000
"""Shorter than any platform's time-out of wrap-ups."""
LONGEST_REPLY_S: Final = 40.0
_GOLDEN: Final = 0.6180339887
_SITES: Final = ("north", "south", "partner")


class Desk:
    """A queue at work.

    Every queue draws from generators of its own, one for each purpose, so that a change to one leaves the
    others as they are.
    """

    def __init__(
        self,
        queue: Queue,
        settings: Settings,
        *,
        seed: str,
        incidents: Sequence[Incident],
        start: int,
        ledger: Ledger,
    ) -> None:
        self.queue: Final = queue
        self.name: Final = queue.name
        self.channel: Final = queue.channel
        self.row: Final = ledger.row(queue.name, queue.channel)
        self.line: Final = Line()
        self.pool: Final = Pool(queue.at_once)
        self.offset: Final = settings.clock_offset_s * 1000
        self.outages: Final = [i for i in incidents if i.kind == "outage" and i.queue in (None, queue.name)]
        self.down = False

        def rng(purpose: str) -> Random:
            return Random(f"{seed}:{queue.name}:{queue.channel}:{purpose}")

        spikes = [i for i in incidents if i.kind == "spike"]
        self.arrivals: Final = Arrivals(queue, spikes, start, self.offset, rng("arrivals"))
        self.customers: Final = rng("customers")
        self.waits: Final = rng("waits")
        self.talks: Final = rng("talks")
        self.after: Final = rng("after")
        self.talk: Final = queue.talk.draw(self.talks)
        self.hold: Final = queue.hold.draw(self.talks)
        self.wrap: Final = queue.wrap.draw(self.talks)
        self.bot: Final = queue.bot.draw(self.waits)
        self.patience: Final = queue.patience.draw(self.waits) if queue.patience else None
        self.reply: Final = _reply(queue).draw(self.talks)
        plan = shifts(queue.staff, queue.longest_shift_h)
        self.agents: Final = [(self._agent(n), shift) for n, shift in enumerate(plan)]

    def _agent(self, n: int) -> Agent:
        team = f"{self.name}-{'abcd'[n % 4]}"
        return Agent(f"{self.name}-{self.channel[0]}{n:04}", team, _SITES[n % 7 % 3])

    def is_open(self, at: int) -> bool:
        """Whether contacts get in now."""
        return self.queue.is_open(at + self.offset)

    def break_at(self, n: int, shift: Shift, begin: int) -> int:
        """When the n-th agent pauses: spread over the middle of the shift, so that not all go at once."""
        return begin + round((shift.end - shift.begin) * HOUR * (0.3 + 0.4 * (n * _GOLDEN % 1)))


def _reply(queue: Queue) -> Duration:
    """How long a first reply takes to write, where a conversation follows; else it is all that is written."""
    return Duration(min(queue.talk.mean_s / 20, LONGEST_REPLY_S), 0.5)
