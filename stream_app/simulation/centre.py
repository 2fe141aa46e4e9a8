"""The simulated contact centre: settings and a seed in, events and a ledger out. No clock, no I/O."""

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush

from stream_app.errors import BadSettingsError
from stream_app.model.events import ContactEvent, Event

from .incidents import Incident
from .ledger import Ledger
from .run import Run
from .settings import Settings


class Centre:
    """A contact centre.

    The same settings, seed, incidents and start give the same events, byte for byte; a later end only adds.

    Attributes:
        ledger: what happened in the last run of ``events``, up to the event that it handed out last.
    """

    def __init__(self, settings: Settings, seed: int = 0, incidents: Sequence[Incident] = ()) -> None:
        """Describe it.

        Raises:
            BadSettingsError: it can't be simulated.
        """
        settings.check()
        for incident in incidents:
            if incident.queue is not None and all(incident.queue != queue.name for queue in settings.queues):
                names = ", ".join(sorted({queue.name for queue in settings.queues}))
                raise BadSettingsError(
                    f"--incident: no queue is called {incident.queue!r}; there are {names}"
                )
        self.settings = settings
        self.seed = seed
        self.incidents = tuple(incidents)
        self.ledger = Ledger()

    def events(self, start_ms: int, end_ms: int | None = None) -> Iterator[Event]:
        """Open the doors at ``start_ms``, empty; everything that happens before ``end_ms``, or for ever.

        In the order of stamps, except behind a silence: what it held back comes as one burst at its end.
        """
        self.ledger = Ledger()
        run = Run(self.settings, self.seed, self.incidents, start_ms, self.ledger)
        events = run.events(end_ms)
        silences = [i for i in self.incidents if i.kind == "silence"]
        return _held_back(events, silences, end_ms) if silences else events


def _held_back(events: Iterator[Event], silences: Sequence[Incident], end: int | None) -> Iterator[Event]:
    """What a silent platform has to say comes when the silence is over. The ledger has it: it did happen."""
    held: list[tuple[int, int, Event]] = []
    for n, event in enumerate(events):
        while held and held[0][0] <= event.at:
            yield heappop(held)[2]
        until = _silent_until(event, silences)
        if until is None:
            yield event
        else:
            heappush(held, (until, n, event))
    while held and (end is None or held[0][0] < end):
        yield heappop(held)[2]


def _silent_until(event: Event, silences: Sequence[Incident]) -> int | None:
    if not isinstance(event, ContactEvent):
        return None
    for silence in silences:
        hit = event.channel == "voice" if silence.queue is None else event.queue == silence.queue
        if hit and silence.begin <= event.at < silence.end:
            return silence.end
    return None
