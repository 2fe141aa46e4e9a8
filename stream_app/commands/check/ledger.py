"""How the KPIs of the ledger are counted, where the targets say so, and a way of counting for which nothing was reported."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from stream_app.model.targets import Targets
from stream_app.model.targets.ledger_rules import LedgerRules

from .conversations import Counted
from .findings import Finding, ok, warn

WHAT: Final = "ledger kpis"
_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS


def judge(targets: Targets, traffic: Counted) -> Iterator[Finding]:
    """Yield a line where the targets set how they are counted, and a warning if that leaves them without a value.

    Args:
        targets: the document.
        traffic: what was counted so far.
    """
    if targets.ledger == Targets().ledger:
        return
    rules = LedgerRules.of(targets)
    across = "in the same channel" if rules.per_channel else "across channels"
    yield ok(
        WHAT,
        f"fcr_policy {rules.fcr_policy}, repeat_days {rules.repeat_ms // _DAY_MS} {across}, "
        f"bot_return_h {rules.return_ms / _HOUR_MS:g}",
    )
    if rules.fcr_policy == "by_survey" and traffic and not any(one.fcr_answers for one in traffic.values()):
        yield warn(
            WHAT,
            "fcr_policy is by_survey, and no survey of the kind fcr was ever answered: first contact resolution has no value",
            "send survey.answered with kind fcr, or set fcr_policy to by_repeat",
        )
