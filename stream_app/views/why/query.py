"""Questions why, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

from msgspec import Struct

from stream_app.model.durations import DAY
from stream_app.model.kpis import BY_NAME
from stream_app.model.why import LedgerWhyQuery, NotExplainedError, Which, WhyQuery
from stream_app.model.windows import BASE
from stream_app.views.contacts.query import DEFAULT_LIMIT, MOST_DAYS, MOST_ROWS
from stream_app.views.intervals.query import BadQueryError, MisfitError, instant, whole
from stream_app.views.ledger.query import BY_NAME as FROM_LEDGER, DEFAULT_WINDOW as LEDGER_DEFAULT

FORMATS: Final = ("json", "csv")
MOST_SKIPPED: Final = 1_000_000
DEFAULT_WINDOW: Final = "today"


class AskedWhy(Struct, frozen=True):
    """A question as it was asked.

    Attributes:
        query: what is asked.
        form: one of ``FORMATS``.
    """

    query: WhyQuery | LedgerWhyQuery
    form: str


def parse_why(given: Mapping[str, Sequence[str]], now: int) -> AskedWhy:
    """Read parameters.

    Args:
        given: parameter → its values, which the route's description allows.
        now: the moment of windows, ms.

    Raises:
        BadQueryError: the first parameter that is wrong.
    """
    one = {name: values[0] for name, values in given.items()}
    if "kpi" not in one:
        raise BadQueryError("kpi", "expected a KPI", [*BY_NAME, *FROM_LEDGER])
    live = BY_NAME.get(one["kpi"])
    start, end = _range(one, now, step=1 if live is None else BASE)
    window = one.get("window")
    if window is not None and start is not None:
        raise MisfitError("window", "expected a window, or from and to; got both", ["one of them"])
    if window is None and start is None and not (live is not None and live.is_level):
        window = LEDGER_DEFAULT if live is None else DEFAULT_WINDOW
    asked: dict[str, Any] = {
        "now": now,
        "window": window,
        "start": start,
        "end": end,
        "queue": one.get("queue"),
        "channel": one.get("channel"),
        "policy": one.get("policy"),
        "which": cast("Which", one.get("which", "all")),
        "limit": whole("limit", one["limit"], 1, MOST_ROWS) if "limit" in one else DEFAULT_LIMIT,
        "skip": whole("skip", one["skip"], 0, MOST_SKIPPED) if "skip" in one else 0,
    }
    settled = one.get("settled") == "yes"
    if live is not None and settled:
        raise MisfitError("settled", f"{live.name} is a live KPI; leave it out", ["no"])
    query = (
        LedgerWhyQuery(kpi=FROM_LEDGER[one["kpi"]], settled=settled, **asked)
        if live is None
        else WhyQuery(kpi=live, **asked)
    )
    try:
        query.check()
    except NotExplainedError as error:
        raise MisfitError(error.part, str(error), error.allowed) from None
    return AskedWhy(query, one.get("format", "json"))


def _range(one: Mapping[str, Any], now: int, step: int) -> tuple[int, int] | tuple[None, None]:
    """Return the range, as far as the next whole step, in ms, on both sides."""
    if "from" not in one and "to" not in one:
        return None, None
    zone, named = ZoneInfo(one.get("tz", "UTC")), "tz" in one
    end = instant("to", one["to"], zone, named=named) if "to" in one else now
    start = instant("from", one["from"], zone, named=named) if "from" in one else end - DAY
    if start >= end:
        what = "from must be before to" if "to" in one else "from must be before to, which is now by default"
        raise MisfitError("from", what, ["a time before to"])
    if end - start > MOST_DAYS * DAY + DAY // 24:
        raise MisfitError(
            "from", f"{(end - start) / DAY:,.0f} days are too many", [f"at most {MOST_DAYS} days"]
        )
    return start // step * step, -(-end // step) * step
