"""Events about customers: who comes, who leaves, what they are worth."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from .currencies import MOST as DEAREST
from .event import Event, Id, Name

MOST_PURCHASES: Final = 50_000
"""Of one customer in a year: one every ten minutes, day and night."""
MOST_YEARS: Final = 100


class CustomerJoined(Event, kw_only=True, tag="customer.joined"):
    """A customer relationship began; ``segment``: the kind of customer, in the business's own words."""

    customer: Id
    segment: Name | None = None


class CustomerLeft(Event, kw_only=True, tag="customer.left"):
    """It ended."""

    customer: Id


class CustomerValued(Event, kw_only=True, tag="customer.valued"):
    """The value of a customer relationship.

    Its bounds are such that no business exceeds them, and that the product, in ten-thousandths, can be stored.
    """

    customer: Id
    purchase_value: Annotated[float, Meta(ge=0, le=DEAREST)] | None = None
    purchases_per_year: Annotated[float, Meta(ge=0, le=MOST_PURCHASES)] | None = None
    years: Annotated[float, Meta(ge=0, le=MOST_YEARS)] | None = None
