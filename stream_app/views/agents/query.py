"""Queries for agents, checked, their order, and the cursor between their pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b, sha256
from secrets import token_bytes
from typing import Final, get_args

import msgspec
from msgspec import Struct

from stream_app.model.live.agent_now import AgentNow
from stream_app.views.cursors import WrittenCursor
from stream_app.views.intervals.query import MisfitError, whole

from .wire import Doings

FORMATS: Final = ("json", "csv")
ORDERS: Final = ("over_limit", "longest")
DOINGS: Final[tuple[str, ...]] = get_args(Doings)
THERE: Final = frozenset(DOINGS) - {"offline"}
"""Who is listed unless it is asked for others."""
DEFAULT_LIMIT: Final = 1_000
MOST_ROWS: Final = 10_000
_NEVER: Final = 1 << 62
_KEY: Final = token_bytes(16)

AgentRank = tuple[int, int, str]
"""An agent's place in the order."""


class AgentCursor(WrittenCursor, frozen=True, array_like=True):
    """The end of a page.

    Attributes:
        at: the moment of the first page: who was over the limit then.
        key: the place of its last agent. No id is in it, for addresses are written into logs.
        asked: a short hash of the query.
    """

    at: int
    key: AgentRank
    asked: str


class AskedAgents(Struct, frozen=True):
    """A query for agents; ``None``: whichever.

    Attributes:
        asked: a short hash of what selects agents.
    """

    queues: frozenset[str] | None
    teams: frozenset[str] | None
    sites: frozenset[str] | None
    doing: frozenset[str]
    order: str
    form: str
    limit: int
    after: AgentCursor | None
    asked: str

    def wants(self, now: AgentNow) -> bool:
        """Return whether an agent is looked for. With a queue, what counts is what the agent does there."""
        status = now.spell.status if now.spell is not None else None
        if self.teams is not None and (status is None or status.team not in self.teams):
            return False
        if self.sites is not None and (status is None or status.site not in self.sites):
            return False
        if self.queues is None:
            return now.doing in self.doing
        return any(place.queue in self.queues and place.doing in self.doing for place in now.places)

    def place(self, limits: Mapping[str, float], at: int) -> Callable[[AgentNow], AgentRank]:
        """Return what an agent's place is: over the limit for the longest first, then whoever has done it the longest."""

        def of(now: AgentNow) -> AgentRank:
            tie = blake2b(now.agent.encode(), digest_size=8, key=_KEY).hexdigest()
            limit = now.limit(limits) if self.order == "over_limit" else None
            if limit is not None and limit < at:
                return 0, limit, tie
            return 1, now.since or _NEVER, tie

        return of


def parse_agents(given: Mapping[str, Sequence[str]]) -> AskedAgents:
    """Read parameters.

    Args:
        given: parameter → its values, which the route's description allows.

    Raises:
        BadQueryError: the first parameter that is wrong.
    """
    names = {name: frozenset(given[name]) for name in ("queue", "team", "site", "doing") if name in given}
    order = given.get("order", ORDERS)[0]
    written = msgspec.json.encode([names, order], order="sorted")
    asked = sha256(written).hexdigest()[:12]
    after = AgentCursor.read(given["cursor"][0]) if "cursor" in given else None
    if after is not None and after.asked != asked:
        raise MisfitError("cursor", "a cursor of another query; use next as it is", [])
    return AskedAgents(
        names.get("queue"),
        names.get("team"),
        names.get("site"),
        names.get("doing", THERE),
        order,
        given.get("format", FORMATS)[0],
        whole("limit", given["limit"][0], 1, MOST_ROWS) if "limit" in given else DEFAULT_LIMIT,
        after,
        asked,
    )
