"""Why a number is what it is: what is asked, what is found, and the contract between those who ask and who know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, Protocol, get_args

from msgspec import Struct

from stream_app.errors import StreamAppError

from .kpis.from_ledger import FromLedger
from .kpis.kpi import Kpi
from .kpis.measures import Choice, Derived, Value
from .ledger_numbers import LEDGER_WINDOWS
from .targets import Targets
from .windows import BASE, WINDOWS

Role = Literal["numerator", "denominator"]
Which = Literal["all", "met", "missed", "left_out"]
WHICH: Final[tuple[str, ...]] = get_args(Which)
"""Contacts that are listed: all, those that count in the numerator, in the denominator only, or that a rule leaves out."""

_ONE_DEFINITION: Final = "{} has one definition only; leave the policy out"


class NotExplainedError(StreamAppError):
    """A question that fits no number.

    Attributes:
        part: what of it: ``kpi``, ``policy``, ``window`` or ``from``.
        allowed: what would fit.
    """

    def __init__(self, part: str, text: str, allowed: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.part, self.allowed = part, allowed


class AnyWhyQuery(Struct, frozen=True, kw_only=True):
    """What is asked of any KPI.

    Attributes:
        now: the moment of windows and levels, ms.
        window: its name; ``None``: of a level, or a range.
        start: of a range, ms, inclusive; ``None``: a window.
        end: likewise, exclusive.
        queue: one queue; ``None``: all.
        channel: one channel; ``None``: all.
        policy: of a KPI with several definitions; ``None``: each queue's own.
        which: contacts that are listed.
        limit: the most of these.
        skip: after so many.
    """

    now: int
    window: str | None = None
    start: int | None = None
    end: int | None = None
    queue: str | None = None
    channel: str | None = None
    policy: str | None = None
    which: Which = "all"
    limit: int = 100
    skip: int = 0


class WhyQuery(AnyWhyQuery, frozen=True, kw_only=True):
    """A question about a live KPI. Ranges are of whole 10 s.

    Attributes:
        kpi: the KPI.
    """

    kpi: Kpi

    def has(self, queue: str, channel: str) -> bool:
        """Return whether it is about this place."""
        return self.queue in {None, queue} and self.channel in {None, channel}

    def span(self, window: str | None, zone: str) -> tuple[int, int]:
        """Return ``[start, end)`` of a window, or its own range; whole buckets."""
        if window is None:
            if self.start is None or self.end is None:
                raise NotExplainedError("window", f"{self.kpi.name}: expected a window, or from and to")
            return self.start, self.end
        found = WINDOWS[window]
        return found.start(self.now, zone), self.now - self.now % found.resolution + found.resolution

    def check(self) -> None:
        """Refuse what does not fit together.

        Raises:
            NotExplainedError: the first thing that does not.
        """
        kpi, measure = self.kpi, self.kpi.measure
        if isinstance(measure, Choice):
            if self.policy is not None and self.policy not in measure.options:
                named = ", ".join(measure.options)
                raise NotExplainedError(
                    "policy", f"{kpi.name}: expected a policy, one of {named}; got {self.policy!r}"
                )
        elif self.policy is not None:
            raise NotExplainedError("policy", _ONE_DEFINITION.format(kpi.name), ("none",))
        if kpi.is_level:
            if self.window is not None or self.start is not None:
                what = "a value of now" if not isinstance(measure, Derived) else "made of values of now"
                part = "window" if self.window else "from"
                raise NotExplainedError(
                    part, f"{kpi.name} is {what}; leave window, from and to out", ("none",)
                )
        elif self.start is not None and (self.start % BASE or (self.end or 0) % BASE):
            raise NotExplainedError("from", "expected whole 10 s")
        elif self.window is None and self.start is None:
            raise NotExplainedError("window", f"{kpi.name}: expected a window, or from and to", (*WINDOWS,))
        _check_window(kpi.name, self.window, (*WINDOWS,))


class LedgerWhyQuery(AnyWhyQuery, frozen=True, kw_only=True):
    """A question about a KPI of the ledger.

    Attributes:
        kpi: the KPI.
        settled: whether only what nothing told in time can change is asked about.
    """

    kpi: FromLedger
    settled: bool = False

    def check(self) -> None:
        """Refuse what does not fit together.

        Raises:
            NotExplainedError: the first thing that does not.
        """
        kpi, named = self.kpi, tuple(name for name in self.kpi.measures if name)
        if self.policy is not None and self.policy not in named:
            one_of = f"expected a policy, one of {', '.join(named)}; got {self.policy!r}"
            text = f"{kpi.name}: {one_of}" if named else _ONE_DEFINITION.format(kpi.name)
            raise NotExplainedError("policy", text, named or ("none",))
        for name in () if kpi.placed else ("queue", "channel"):
            if getattr(self, name) is not None:
                who = "customers" if kpi.customers else "agents"
                text = f"{kpi.name} is about {who}, who belong to no queue; leave queue and channel out"
                raise NotExplainedError(name, text, ("none",))
        if self.settled and not kpi.settles:
            raise NotExplainedError("settled", f"{kpi.name} does not settle; leave it out", ("no",))
        if self.window is None and self.start is None:
            raise NotExplainedError(
                "window", f"{kpi.name}: expected a window, or from and to", (*LEDGER_WINDOWS,)
            )
        _check_window(kpi.name, self.window, (*LEDGER_WINDOWS,))


def _check_window(kpi: str, window: str | None, known: tuple[str, ...]) -> None:
    if window is not None and window not in known:
        raise NotExplainedError("window", f"{kpi}: expected a window, one of {', '.join(known)}", known)


class WhyTerm(Struct, frozen=True):
    """A counter of a formula, or of a KPI of the ledger a sum.

    Attributes:
        counter: its name.
        role: where it stands.
        sign: 1, or -1 if it is subtracted.
        n: what it counted, in stored units: contacts, milliseconds, parts of a score or of money.
        contacts: how many contacts that were.
        currency: of money.
        left_out: whether it leaves contacts out.
        versions: of the targets by which it was counted; empty: of contacts that are not over.
        policies: of the formulas that have it; empty where there is one definition only.
        words: what a sum of the ledger counts; empty: what the counter does.
    """

    counter: str
    role: Role
    sign: int
    n: int
    contacts: int
    currency: str | None = None
    left_out: bool = False
    versions: tuple[int, ...] = ()
    policies: tuple[str, ...] = ()
    words: str = ""


class WhyRule(Struct, frozen=True):
    """A rule by which a KPI of the ledger leaves something out.

    Attributes:
        name: the sum that does not count it.
        words: the rule.
        n: how many contacts, cases, customers or assignments fall under it.
    """

    name: str
    words: str
    n: int


class WhyContact(Struct, frozen=True):
    """A contact's part in a number, in stored units; of a KPI of the ledger also a case's, a customer's or an agent's.

    Attributes:
        contact_id: the contact; ``None`` if it was forgotten, or there is none.
        queue: where it counts; ``None``: in none, or nobody knows.
        channel: likewise.
        agent: whose it was, if it was somebody's.
        at: when it counted first; of a level, since when it is so; ms.
        open: it is not over yet.
        numerator: what it adds there.
        denominator: likewise; 0 where there is none.
        counted: the formula's counters that counted it, and how much.
        amounts: what it adds in money, by currency.
        case: of a KPI of the ledger: its case.
        customer: likewise: whose it is.
        item: likewise: the criterion of a review, the course of a training.
    """

    contact_id: str | None
    queue: str | None
    channel: str | None
    agent: str | None
    at: int
    open: bool
    numerator: int
    denominator: int
    counted: Mapping[str, int]
    amounts: Mapping[str, str] | None = None
    case: str | None = None
    customer: str | None = None
    item: str | None = None


class WhyInterval(Struct, frozen=True):
    """A 15-minute interval of a queue that counts.

    Attributes:
        queue: where.
        channel: likewise.
        start: its begin, ms.
        value: of the KPI that has the target.
        samples: how much that rests on.
        target: the target.
        met: whether it is reached.
    """

    queue: str
    channel: str
    start: int
    value: float
    samples: int
    target: float
    met: bool


class WhyPart(Struct, frozen=True):
    """What a number is made of that follows from others, of one queue and channel.

    Attributes:
        queue: where.
        channel: likewise.
        value: the number there; ``None``: no data.
        of: KPI → its window (``None``: now) and its value there.
    """

    queue: str
    channel: str
    value: float | None
    of: Mapping[str, tuple[str | None, Value]]


class Why(Struct, frozen=True, kw_only=True):
    """A number and what it is made of.

    Attributes:
        value: as it is everywhere else.
        start: of the time that it is of, ms; of a level now.
        end: exclusive.
        formulas: in the names of counters, by policy; under ``""`` where there is one definition only.
        terms: the counters of these.
        rules: by which a KPI of the ledger leaves something out; of a live one they are terms.
        numerator: their sum, in stored units; ``None`` for money in several currencies, and what is no sum.
        denominator: likewise; ``None`` for a count.
        versions: of the targets by which contacts counted.
        contacts: those asked for; of a level the one that began first comes first, else the latest.
        total: how many there are of these on all pages.
        intervals: of a KPI over intervals.
        parts: of a KPI that follows from others.
        unknown: stretches of the time of which contacts are missing, ``[start, end)``, ms.
        positions: partition → offset up to which it is read.
    """

    value: Value
    start: int
    end: int
    formulas: Mapping[str, str]
    terms: list[WhyTerm] = []
    rules: list[WhyRule] = []
    numerator: int | None = None
    denominator: int | None = None
    versions: tuple[int, ...] = ()
    contacts: list[WhyContact] = []
    total: int = 0
    intervals: list[WhyInterval] = []
    parts: list[WhyPart] = []
    unknown: list[tuple[int, int]] = []
    positions: Mapping[str, int] = {}


class Explainer(Protocol):
    """What knows why."""

    async def why(self, query: WhyQuery | LedgerWhyQuery, targets: Targets) -> Why:
        """Explain a number under the targets in force.

        Raises:
            NotExplainedError: the question does not fit together.
            ContactsAwayError: see ``model.contacts``, like the others.
            ContactsMissingError: likewise.
            TooMuchAskedError: likewise.
        """
        ...
