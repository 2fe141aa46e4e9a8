"""How many agents, and when: Erlang A for the number, shifts for the people."""

from collections import deque
from collections.abc import Sequence

from msgspec import Struct


class AgentShift(Struct, frozen=True):
    """One agent's day, in hours of the centre's clock; ``end`` may be on the next day."""

    begin: int
    end: int


def abandonment(per_hour: float, handle_s: float, patience_s: float, agents: int) -> float:
    """Return the share of contacts that abandon in a queue with exponential patience: M/M/n+M in its steady state."""
    arrive, serve, give_up = per_hour / 3600, 1 / handle_s, 1 / patience_s
    if arrive <= 0:
        return 0.0
    # Weights of the numbers of contacts present, relative to n; in both directions until they are negligible.
    total = weight = 1.0
    for present in range(agents, 0, -1):
        weight *= present * serve / arrive
        total += weight
        if weight < total * 1e-15:
            break
    weight, waiting, behind = 1.0, 0, 0.0
    while weight > total * 1e-15 or waiting < 2:
        waiting += 1
        weight *= arrive / (agents * serve + waiting * give_up)
        total += weight
        behind += waiting * weight
    return give_up * (behind / total) / arrive


def agents_for(per_hour: float, handle_s: float, patience_s: float, wanted: float) -> int:
    """Return the smallest number of agents at which at most ``wanted`` of the contacts abandon."""
    if per_hour <= 0:
        return 0
    low, high = 0, 1 + int(per_hour * handle_s / 3600)
    while abandonment(per_hour, handle_s, patience_s, high) > wanted:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if abandonment(per_hour, handle_s, patience_s, middle) > wanted:
            low = middle
        else:
            high = middle
    return high


def shifts(staff: Sequence[int], longest_h: int) -> list[AgentShift]:
    """Return shifts that put ``staff[h]`` agents to work in each hour: first in, first out.

    Nobody works longer than ``longest_h``, unless that is 24 and the number never changes: then agents never leave.
    """
    if longest_h >= 24 and min(staff) == max(staff):
        return [AgentShift(0, 24)] * staff[0]
    first = min(range(24), key=lambda h: staff[h])  # days are joined at the quietest hour
    out: list[AgentShift] = []
    present: deque[int] = deque()
    for hour in range(first, first + 24):
        wanted = staff[hour % 24]
        while present and (len(present) > wanted or hour - present[0] >= longest_h):
            out.append(AgentShift(present.popleft(), hour))
        present.extend([hour] * (wanted - len(present)))
    out += [AgentShift(begin, first + 24) for begin in present]
    return [AgentShift(s.begin % 24, s.begin % 24 + s.end - s.begin) for s in out]
