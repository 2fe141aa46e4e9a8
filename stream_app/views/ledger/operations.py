"""The description of the route."""

from typing import Final

from stream_app.views.operation import Operation, Parameter

from .api import PATH
from .query import BY_NAME, DEFAULT_WINDOW, GROUPS, POLICIES, WINDOW_NAMES
from .wire import LedgerAnswer

OPERATION: Final = Operation(
    path=PATH,
    name="ledger",
    example="window=28d&queue=sales&kpi=first_contact_resolution",
    summary="KPIs that need more than one contact, or more than today",
    text="First contact resolution, time to resolve, reopened and escalated cases, retention, churn and their like, computed "
    "from the ledger, within about 15 s of an event: `as_of` says up to when, `stale` that they are older than they should "
    "be. A provisional value has everything that is known; a settled one only what nothing told in time can change. `unknown`, "
    "and `X-Unknown`, is when contacts are missing in the window. By agent they are off where serve can be reached from other "
    "machines until STREAM_APP_CONTACTS=on. Full description: docs/ledger.md.",
    answer=LedgerAnswer,
    parameters=(
        Parameter(
            "window",
            f"`today` begins at midnight by each queue's clock, the others roll; {DEFAULT_WINDOW} by default",
            WINDOW_NAMES,
            once=True,
        ),
        Parameter("queue", "Only these queues", seen=True),
        Parameter("channel", "Only these channels", seen=True),
        Parameter(
            "group",
            "Rows are groups over the chosen queues and channels; by default each row is a queue and channel. "
            "All but queue and channel are computed on request",
            tuple(GROUPS),
            once=True,
        ),
        Parameter("kpi", "Only these KPIs", tuple(BY_NAME)),
        Parameter(
            "policy",
            "How first contact resolution is measured; as the targets say by default",
            POLICIES,
            once=True,
        ),
    ),
    fails={
        400: "A parameter is unknown, has an invalid value, or names a queue or channel that was never seen",
        403: "Agents are not shown here",
        422: "Parameters do not fit together, or the question takes too long",
        501: "What reads the ledger is not installed",
        503: "There is no ledger here, nothing was computed yet, or its storage or Redis is unavailable",
    },
)
