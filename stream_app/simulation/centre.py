"""The simulated contact centre: settings and a seed in, events and a ledger out. No clock, no I/O."""

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush

from stream_app.errors import BadSettingsError
from stream_app.model.events import ContactEvent, Event

from .incidents import Incident
from .ledger import Ledger
from .run import Simulation
from .settings import CentreSettings


class Centre:
    """A contact centre.

    The same settings, seed, incidents and start produce the same events, byte for byte; a later end only adds.

    Attributes:
        ledger: what happened in the last run of ``events``, up to the event that it emitted last.
    """

    def __init__(self, settings: CentreSettings, seed: int = 0, incidents: Sequence[Incident] = ()) -> None:
        """Check the settings and incidents.

        Raises:
            BadSettingsError: they can't be simulated.
        """
        settings.check()
        for incident in incidents:
            if incident.queue is not None and all(incident.queue != queue.name for queue in settings.queues):
                names = ", ".join(sorted({queue.name for queue in settings.queues}))
                raise BadSettingsError(f"--incident: unknown queue {incident.queue!r}; use one of {names}")
        self.settings = settings
        self.seed = seed
        self.incidents = tuple(incidents)
        self.ledger = Ledger()

    def events(self, start_ms: int, end_ms: int | None = None) -> Iterator[Event]:
        """Open an empty centre at ``start_ms``; yield everything that happens before ``end_ms``, or for ever.

        In the order of stamps, except after a silence: its held-back events come as one burst at its end.
        """
        self.ledger = Ledger()
        run = Simulation(self.settings, self.seed, self.incidents, start_ms, self.ledger)
        events = run.events(end_ms)
        silences = [i for i in self.incidents if i.kind == "silence"]
        return _held_back(events, silences, end_ms) if silences else events


def _held_back(events: Iterator[Event], silences: Sequence[Incident], end: int | None) -> Iterator[Event]:
    """Hold back the events of a silent platform until the silence is over. The ledger includes them: they did happen."""
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
