"""The centre that ``stream-app simulate`` plays: three voice queues, chat, email and messaging; of any size."""

import math
from collections.abc import Iterable
from datetime import date
from typing import Final

from msgspec import structs

from stream_app.model.durations import HOUR

from .habits import Habits
from .settings import NOTHING_AFTER, After, CentreSettings, Duration, Patience, QueueSettings
from .staffing import agents_for, shifts
from .writing import Writing

_OFFICE: Final = (
    0.01, 0.01, 0.01, 0.01, 0.01, 0.02, 0.05, 0.15, 0.55, 0.9, 1.0, 0.98,
    0.8, 0.78, 0.9, 0.92, 0.82, 0.62, 0.4, 0.22, 0.1, 0.05, 0.02, 0.01,
)  # fmt: skip
"""Two peaks, the higher one in the morning."""
_EVENING: Final = (
    0.12, 0.06, 0.04, 0.03, 0.03, 0.05, 0.12, 0.3, 0.55, 0.75, 0.9, 0.9,
    0.85, 0.8, 0.8, 0.82, 0.85, 0.9, 0.98, 1.0, 0.95, 0.75, 0.45, 0.25,
)  # fmt: skip
"""People at home write in the evening."""
WEEK: Final = (1.0, 0.94, 0.91, 0.9, 0.87, 0.55, 0.42)
"""After a weekend people have waited with their questions."""
_OPENS, _CLOSES = 8, 20
_WANTED: Final = 0.04
"""The abandonment that the staff is planned for; the result depends on the day."""
_BUSY: Final = 0.9
"""The planned occupancy of people who work off a backlog."""

_PEOPLE: Final = Habits(late=0.08, moved=0.3, overrun=0.15, meeting=0.1, training=0.05, forgotten=0.02)
"""Wrap-up is told with the contacts: agents' states do not repeat it."""

QUEUES: Final = (
    QueueSettings(
        name="billing", channel="voice", habits=_PEOPLE, per_hour=260, curve=_OFFICE, noise=0.07, opens=_OPENS,
        closes=_CLOSES, room=60, talk=Duration(230, 0.8), hold_share=0.25, hold=Duration(48, 0.7),
        wrap=Duration(55, 0.6), patience=Patience(170), longest_wait_s=900, callback_after_s=35,
        callback_share=0.15, missed_share=0.03, transfer_share=0.07, transfer_to=("support", "sales"),
        after=After(survey=0.12, case=0.7),
    ),
    QueueSettings(
        name="sales", channel="voice", habits=_PEOPLE, per_hour=150, curve=_OFFICE, noise=0.07, opens=_OPENS,
        closes=_CLOSES, room=40, talk=Duration(320, 0.9), hold_share=0.12, hold=Duration(35, 0.7),
        wrap=Duration(80, 0.6), patience=Patience(130), longest_wait_s=600, missed_share=0.02,
        transfer_share=0.05, transfer_to=("billing",), after=After(survey=0.1, case=0.4, sale=0.22,
        sale_mean=85),
    ),
    QueueSettings(
        name="support", channel="voice", habits=_PEOPLE, per_hour=220, curve=_OFFICE, noise=0.09, opens=_OPENS,
        closes=_CLOSES, room=80, talk=Duration(390, 0.9), hold_share=0.35, hold=Duration(70, 0.8),
        wrap=Duration(70, 0.6), patience=Patience(240), longest_wait_s=1200, callback_after_s=40,
        callback_share=0.2, missed_share=0.03, transfer_share=0.06, transfer_to=("billing",),
        after=After(survey=0.15, case=0.65, quality=0.03),
    ),
    QueueSettings(
        name="webshop", channel="chat", habits=_PEOPLE, per_hour=160, curve=_EVENING, noise=0.08, opens=_OPENS, closes=22,
        room=120, at_once=3, talk=Duration(540, 0.7), wrap=Duration(40, 0.6), patience=Patience(150),
        longest_wait_s=1200, bot_share=0.6, bot_settles=0.3, bot=Duration(14, 0.4), messages=7, missed_share=0.01,
        writing=Writing(bot_given_up=0.06, junk=0.01, unanswered=0.01, notes=0.05, pending=0.02, pending_s=240),
        after=After(survey=0.2, case=0.6, sale=0.08),
    ),
    QueueSettings(
        name="app", channel="messaging", habits=_PEOPLE, per_hour=120, curve=_EVENING, noise=0.08, at_once=4,
        talk=Duration(1500, 0.8), wrap=Duration(30, 0.6), patience=Patience(1500), bot_share=0.4,
        bot_settles=0.2, bot=Duration(20, 0.5), messages=5,
        writing=Writing(bot_given_up=0.04, unanswered=0.01, notes=0.05), after=After(survey=0.1, case=0.55),
    ),
    QueueSettings(
        name="service", channel="email", habits=_PEOPLE, per_hour=110, curve=_EVENING, noise=0.1, talk=Duration(340, 0.7),
        wrap=Duration(20, 0.5), patience=None,
        writing=Writing(
            acknowledged=0.9, junk=0.04, unanswered=0.03, notes=0.1, pending=0.08, pending_s=7200, returns=0.03
        ),
        after=After(survey=0.05, case=0.75, sentiment=0.5),
    ),
)  # fmt: skip
"""In the proportions of a medium-sized centre; ``centre`` adds the staff."""


def events_per_contact(queue: QueueSettings, others: Iterable[QueueSettings] = ()) -> float:
    """Return the mean number of events of a contact from outside that is served, by a bot or people, transfers included."""
    writing = queue.writing
    stay = 1 - queue.transfer_share
    targets = [q for q in others if q.name in queue.transfer_to and q.channel == queue.channel]
    further = sum(events_per_contact(structs.replace(q, transfer_share=0.0)) for q in targets) / max(
        1, len(targets)
    )
    follows = stay * queue.after.events + queue.transfer_share * further
    if not queue.by_message:
        told = 6 if queue.habits.tells_wrap else 4
        return told + 2 * queue.hold_share + queue.missed_share + queue.after.sentiment + follows
    # Assigned, a first reply, ended, wrapped; a case that comes back is reopened and queued before.
    replied = 4 + queue.missed_share + queue.messages + writing.notes + stay * 4 * writing.pending
    served = replied + queue.after.sentiment + follows
    again = replied + queue.after.sentiment + queue.after.events + 2
    served += stay * writing.returns / (1 - writing.returns) * again
    served += writing.unanswered * (3 + queue.missed_share - served)
    # Queued, and what the customer writes; then the bot's part.
    given_up = queue.bot_share * writing.bot_given_up
    settled = queue.bot_share * (1 - writing.bot_given_up) * queue.bot_settles
    handed_off = queue.bot_share - given_up - settled
    alone = 1 - queue.bot_share
    begun = 2 + alone * writing.acknowledged + 3 * given_up + 4 * settled + 4 * handed_off
    return begun + (alone + handed_off) * served


def centre(rate: float, queues: tuple[QueueSettings, ...] = QUEUES) -> CentreSettings:
    """Return a centre that emits about ``rate`` events a second in its busiest hour, with the staff that it needs."""
    worth = [(q, q.per_hour * events_per_contact(q, queues) / 3600) for q in queues]
    busiest = max(sum(w * q.weight(hour * HOUR + HOUR // 2) for q, w in worth) for hour in range(24))
    factor = rate / busiest
    sized = [
        structs.replace(
            queue,
            per_hour=queue.per_hour * factor,
            room=None if queue.room is None else max(10, round(queue.room * max(factor, 0.2))),
        )
        for queue in queues
    ]
    return CentreSettings(queues=tuple(_staffed(queue, sized) for queue in sized))


def _staffed(queue: QueueSettings, queues: list[QueueSettings]) -> QueueSettings:
    """Add staff for arrivals and transfers, with shifts of at most nine hours and a break."""
    moved = sum(
        q.per_hour * q.transfer_share / len(q.transfer_to) for q in queues if queue.name in q.transfer_to
    )
    peak = queue.per_hour + moved
    # The middle of the hour represents it.
    hourly = [peak * queue.weight(hour * HOUR + HOUR // 2) for hour in range(24)]
    if queue.patience is None:
        staff = _for_backlog(sum(hourly) * queue.handle_s / 3600)
    else:
        patience, handle = queue.patience.mean_s, queue.handle_s
        staff = tuple(
            math.ceil(agents_for(rate, handle, patience, _WANTED) / queue.at_once)
            if _staffed_at(queue, hour)
            else 0
            for hour, rate in enumerate(hourly)
        )
    planned = structs.replace(queue, staff=staff, longest_shift_h=9, break_s=1800.0)
    return structs.replace(planned, staff=_with_breaks(planned))


def _staffed_at(queue: QueueSettings, hour: int) -> bool:
    return queue.opens is None or queue.closes is None or queue.opens <= hour < queue.closes


def _for_backlog(hours_of_work: float) -> tuple[int, ...]:
    """Return the staff for a day's work, done between eight and eighteen."""
    agents = max(1, math.ceil(hours_of_work / 10 / _BUSY))
    return tuple(agents if 8 <= hour < 18 else 0 for hour in range(24))


def _with_breaks(queue: QueueSettings) -> tuple[int, ...]:
    """Return a few more agents, because some are always at lunch."""
    plan = shifts(queue.staff, queue.longest_shift_h)
    worked = sum(s.end - s.begin for s in plan)
    paused = sum(queue.break_s / 3600 for s in plan if s.end - s.begin >= 5)
    factor = worked / (worked - paused) if worked else 1.0
    return tuple(math.ceil(agents * factor - 0.25) for agents in queue.staff)


def with_week(settings: CentreSettings, holidays: Iterable[date] = ()) -> CentreSettings:
    """Return a centre with quiet weekends, and closed on holidays."""
    days = frozenset((day - date(1970, 1, 1)).days for day in holidays)
    queues = tuple(structs.replace(queue, week=WEEK) for queue in settings.queues)
    return structs.replace(settings, queues=queues, holidays=days)


def brief(settings: CentreSettings) -> CentreSettings:
    """Return a centre that sends only what interval rows count: contacts as many and as long, but fewer events."""
    queues = tuple(
        structs.replace(
            queue,
            after=NOTHING_AFTER,
            writing=structs.replace(queue.writing, acknowledged=0.0, notes=0.0),
        )
        for queue in settings.queues
    )
    return structs.replace(settings, queues=queues, presence=False)
