"""Numbers that need more than one contact, as SQL over the ledger's tables: one file for what they are about.

What they are called, and what they are good for, is in ``model/kpis/from_ledger``.
"""

from typing import Final

from .agents import AGENT_TIME, SHARED_WORK
from .cases import BEGUN_CASES, RESOLVED_CASES, UNRESOLVED_CASES
from .criteria import CRITERIA
from .customers import CHURN_BY_RESOLUTION, CUSTOMERS
from .journeys import JOURNEYS, TOUCHES
from .opinions import OPINIONS
from .query import GROUPS, LedgerFamily, LedgerQuestion
from .sales import SALES
from .trainings import TRAININGS
from .visits import BOTS, WORK

__all__ = ["FAMILIES", "GROUPS", "LedgerFamily", "LedgerQuestion"]

FAMILIES: Final[dict[str, LedgerFamily]] = {
    family.name: family
    for family in (
        JOURNEYS,
        TOUCHES,
        RESOLVED_CASES,
        BEGUN_CASES,
        UNRESOLVED_CASES,
        CUSTOMERS,
        CHURN_BY_RESOLUTION,
        BOTS,
        WORK,
        OPINIONS,
        SALES,
        CRITERIA,
        TRAININGS,
        AGENT_TIME,
        SHARED_WORK,
    )
}
"""Name → family."""
