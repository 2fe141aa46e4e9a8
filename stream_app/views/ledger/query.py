"""Queries for KPIs of the ledger, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

from msgspec import Struct

from stream_app.model.kpis.from_ledger import FromLedger
from stream_app.model.kpis.ledger_entries import FROM_LEDGER
from stream_app.model.ledger_numbers import LEDGER_WINDOWS, LedgerWindow
from stream_app.views.intervals.query import MisfitError

BY_NAME: Final[dict[str, FromLedger]] = {kpi.name: kpi for kpi in FROM_LEDGER}
GROUPS: Final = (
    "queue",
    "channel",
    "site",
    "team",
    "agent",
    "segment",
    "contact_reason",
    "handled_by",
    "partner",
    "unit",
    *dict.fromkeys(group for kpi in FROM_LEDGER for group in kpi.also_by),
)
"""What rows may be; not every KPI can be split by each of them."""
REFRESHED: Final = ("queue", "channel")
"""Groups that the refreshed sums have."""
POLICIES: Final = tuple(dict.fromkeys(policy for kpi in FROM_LEDGER for policy in kpi.policies))
DEFAULT_WINDOW: Final[LedgerWindow] = "7d"


class AskedLedger(Struct, frozen=True):
    """A query as it was asked; ``None``: all of them, or the default.

    Attributes:
        window: one of ``LEDGER_WINDOWS``.
        queues: names.
        channels: names.
        group: what rows are; ``None``: queues and channels.
        kpis: the wanted ones.
        policy: of a KPI with several formulas.
    """

    window: LedgerWindow
    queues: frozenset[str] | None
    channels: frozenset[str] | None
    group: str | None
    kpis: tuple[FromLedger, ...]
    policy: str | None


def parse_ledger(given: Mapping[str, Sequence[str]]) -> AskedLedger:
    """Read parameters, which the route's description allows.

    Raises:
        MisfitError: KPIs of customers or agents alone were asked for, by what they don't have.
    """
    names = given.get("kpi")
    kpis = FROM_LEDGER if names is None else tuple(kpi for kpi in FROM_LEDGER if kpi.name in set(names))
    if not any(kpi.placed for kpi in kpis):
        for name in ("queue", "channel"):
            if name in given:
                raise MisfitError(name, "customers and agents belong to no queue", ["all of them"])
    return AskedLedger(
        cast("LedgerWindow", given["window"][0]) if "window" in given else DEFAULT_WINDOW,
        frozenset(given["queue"]) if "queue" in given else None,
        frozenset(given["channel"]) if "channel" in given else None,
        given["group"][0] if "group" in given else None,
        kpis,
        given["policy"][0] if "policy" in given else None,
    )


WINDOW_NAMES: Final = tuple(LEDGER_WINDOWS)
