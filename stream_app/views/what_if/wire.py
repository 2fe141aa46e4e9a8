"""What would have been, as it is written. Values are in the KPI's unit, as /v1/now shows them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from stream_app.model.kpis import BY_NAME
from stream_app.model.what_if import WhatIf, WhatIfQuery
from stream_app.views.contacts.wire import UnknownRange
from stream_app.views.stamping import Time, stamp
from stream_app.views.wire import rounded


class WhatIfRow(Struct, frozen=True):
    """A KPI of a queue and channel, as it was counted and as it would have been."""

    queue: Annotated[str | None, Meta(description="null: all")]
    channel: Annotated[str | None, Meta(description="null: all")]
    kpi: str
    policy: Annotated[
        str | None, Meta(description="By which service-level policy; null where there is one definition")
    ]
    was: Annotated[float | None, Meta(description="As it was counted; null: no data")]
    would: Annotated[float | None, Meta(description="As it would have been")]
    samples_was: Annotated[int, Meta(description="How many contacts or replies it rests on")]
    samples_would: int


class WhatIfAnswer(Struct, frozen=True):
    """The KPIs of a time under the targets in force, and under others."""

    begin: Annotated[Time, Meta(description="The range, as used")]
    end: Time
    queue: Annotated[str | None, Meta(description="null: all")]
    unknown: Annotated[
        list[UnknownRange],
        Meta(description="When contacts were counted that are missing here: no data there"),
    ]
    rows: list[WhatIfRow]


def what_if_rows(found: WhatIf) -> Iterator[WhatIfRow]:
    """Yield the rows: those of all queues together first."""
    for (queue, channel), compared in found.compared.items():
        for one in compared:
            yield WhatIfRow(
                queue or None,
                channel or None,
                one.kpi,
                one.policy or None,
                _shown(one.kpi, one.was),
                _shown(one.kpi, one.would),
                one.samples_was,
                one.samples_would,
            )


def _shown(kpi: str, value: float | None) -> float | None:
    return None if value is None else rounded(kpi, value / BY_NAME[kpi].unit.parts)


def what_if_answer(query: WhatIfQuery, found: WhatIf) -> WhatIfAnswer:
    """Return an answer without its rows."""
    unknown = [UnknownRange(stamp(since), stamp(until)) for since, until in found.unknown]
    return WhatIfAnswer(stamp(query.start), stamp(query.end), query.queue, unknown, [])
