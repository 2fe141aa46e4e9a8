"""Why contacts left a queue or never got in, and kinds of sales: names of many platforms, gathered into a few.

A name that is not here counts as ``other``. Names are compared in lower case.
"""

from __future__ import annotations

from typing import Final, Literal

LeftBy = Literal["timeout", "key", "transfer", "callback", "empty", "closed", "other"]
SaleKind = Literal["new", "upsell", "saved", "upgrade"]
RefusedBy = Literal["full", "closed", "empty", "other"]

_LEFT: Final[dict[str, LeftBy]] = {
    "timeout": "timeout",
    "expired": "timeout",
    "key": "key",
    "transfer": "transfer",
    "overflow": "transfer",
    "callback": "callback",
    "empty": "empty",
    "no_agents": "empty",
    "closed": "closed",
}
_REFUSED: Final[dict[str, RefusedBy]] = {
    "full": "full",
    "closed": "closed",
    "empty": "empty",
    "no_agents": "empty",
}

SALE_KINDS: Final[dict[str, SaleKind]] = {
    "new": "new",
    "new_sale": "new",
    "upsell": "upsell",
    "upsold": "upsell",
    "cross_sell": "upsell",
    "saved": "saved",
    "save": "saved",
    "saved_sale": "saved",
    "retention": "saved",
    "upgrade": "upgrade",
    "upgraded": "upgrade",
}
"""A sale's kind → what it is gathered into; any other is ``other``."""

LEFT_COUNTERS: Final[dict[LeftBy, str]] = {
    "timeout": "left_timeout",
    "key": "left_key",
    "transfer": "left_transfer",
    "callback": "left_callback",
    "empty": "left_empty",
    "closed": "closed_unanswered",
}
"""Reason → the counter of those that left for it; any other is in ``left_other``."""


def left_by(reason: str | None) -> LeftBy:
    """Return what a flow-out's reason counts as."""
    return _LEFT.get(reason.lower(), "other") if reason else "other"


def refused_by(reason: str | None) -> RefusedBy:
    """Return what a blocked contact's reason counts as."""
    return _REFUSED.get(reason.lower(), "other") if reason else "other"
