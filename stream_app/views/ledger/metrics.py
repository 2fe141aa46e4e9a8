"""KPIs of the ledger for Prometheus. A series without data is absent; agents are in none."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final

from stream_app.model.events import QueueChannel
from stream_app.model.kpis.from_ledger import FromLedger
from stream_app.model.kpis.ledger_entries import FROM_LEDGER
from stream_app.model.ledger_numbers import LatestNumbers, LedgerNumbers, LedgerWindow, SumsKey, chosen
from stream_app.model.ledger_values import LedgerValue, values
from stream_app.model.targets import Targets
from stream_app.model.targets.ledger_rules import EVERY, LedgerRules
from stream_app.views import naming
from stream_app.views.budget import MAX_CURRENCIES, OTHERS, PARTS_WINDOW, SEGMENTS, SETTLED_WINDOWS
from stream_app.views.text import escaped

LedgerLine = tuple[str, float | None]
"""Labels in braces, and a value."""
LedgerSeries = list[tuple[str, str, list[LedgerLine]]]
"""Metric, what it is, and its lines."""
_NONE: Final[LedgerSeries] = []
_Rows = dict[str, list[tuple[SumsKey, Mapping[str, int]]]]
_Of = dict[str, dict[str, LedgerValue]]
"""Labels of a place or segment → policy → value."""


class LedgerMetrics:
    """Makes the series of one set of numbers once, however often they are read."""

    def __init__(self) -> None:
        """Begin without any."""
        self._made: LedgerSeries = _NONE
        self._of: tuple[LedgerNumbers | None, Targets | None, frozenset[QueueChannel]] = (
            None,
            None,
            frozenset(),
        )

    def series(
        self, latest: LatestNumbers, targets: Targets, places: Collection[QueueChannel], now: int
    ) -> LedgerSeries:
        """Return all series.

        Args:
            latest: the numbers.
            targets: those in force.
            places: queues and channels that have series of their own; what others counted is ``other``.
            now: ms since the epoch.
        """
        numbers = latest.numbers
        if numbers is None:
            return _NONE
        key = (numbers, targets, frozenset(places))
        if self._of[0] is not numbers or self._of[1:] != key[1:]:
            self._made, self._of = [*_Making(numbers, LedgerRules.of(targets), places).series()], key
        age = max(0, now - numbers.at) / 1000
        what = "How far behind real time KPIs of the ledger are."
        return [*self._made, (naming.LEDGER_AGE, what, [("", age)])]


class _Making:
    """Makes series of numbers."""

    def __init__(self, numbers: LedgerNumbers, rules: LedgerRules, places: Collection[QueueChannel]) -> None:
        self._numbers, self._rules, self._places = numbers, rules, frozenset(places)
        self._queues = frozenset(queue for queue, _ in places)
        self._of_every = rules.aims(EVERY)
        self._aims: dict[str, Mapping[str, float]] = {}
        self._rows: dict[LedgerWindow, dict[str, _Rows]] = {
            window: self._by_labels(window) for window in numbers.windows
        }

    def series(self) -> Iterator[tuple[str, str, list[LedgerLine]]]:
        for kpi in FROM_LEDGER:
            windows = [*self._rows][-1:] if kpi.is_level else [*self._rows]
            yield from self._of_kpi(kpi, {window: self._values(kpi, window) for window in windows})
        what = "How much of a window contacts are missing of, in which the ledger has none."
        lines: list[LedgerLine] = [
            (f'{{{naming.WINDOW}="{window}"}}', sum(end - start for start, end in found.unknown) / 1000)
            for window, found in self._numbers.windows.items()
        ]
        yield naming.LEDGER_UNKNOWN, what, lines

    def _by_labels(self, window: LedgerWindow) -> dict[str, _Rows]:
        """Return labels → the rows of each family."""
        found: dict[str, _Rows] = {}
        for family, sums in self._numbers.windows[window].families.items():
            rows = chosen(sums, None, None)
            label = _LABEL.get(family)
            large = _large([key.name for key, _ in sorted(rows, key=lambda row: -max(row[1].values()))])
            for key, counted in rows:
                name = (key.name or "") if key.name in large else OTHERS
                labels = f'{label}="{escaped(name)}"' if label else self._place(key.queue, key.channel)
                found.setdefault(labels, {}).setdefault(family, []).append((key, counted))
        return found

    def _place(self, queue: str | None, channel: str | None) -> str:
        known = (queue, channel) in self._places if channel else queue in self._queues
        if queue and not known:
            queue, channel = OTHERS, OTHERS
        labels = f'{naming.QUEUE}="{escaped(queue or "")}",{naming.CHANNEL}="{escaped(channel or "")}"'
        if labels not in self._aims:
            self._aims[labels] = self._rules.aims((queue or "", channel or ""))
        return labels

    def _values(self, kpi: FromLedger, window: LedgerWindow) -> _Of:
        computed = kpi.families & self._numbers.windows[window].families.keys()
        return {
            labels: values(kpi, {family: rows.get(family, []) for family in computed}, self._rules)
            for labels, rows in self._rows[window].items()
            # Of a queue where nothing is counted a count is 0, and a share has no data.
            if not computed.isdisjoint(rows) or (kpi.placed and labels.startswith(f"{naming.QUEUE}="))
        }

    def _of_kpi(
        self, kpi: FromLedger, found: Mapping[LedgerWindow, _Of]
    ) -> Iterator[tuple[str, str, list[LedgerLine]]]:
        title = kpi.title
        yield naming.of_ledger(kpi), f"{title}: {kpi.doc}", [*self._lines(kpi, found, _value)]
        if naming.owns_ledger_samples(kpi):
            what = f"{title}: samples, the denominator of the value."
            yield naming.ledger_samples(kpi), what, [*self._lines(kpi, found, _samples)]
        if kpi.settles:
            some = {window: of for window, of in found.items() if window in SETTLED_WINDOWS}
            what = f"{title}: of what nothing told in time can change."
            yield naming.settled(kpi), what, [*self._lines(kpi, some, lambda one: one.settled_value)]
            if naming.owns_ledger_samples(kpi):
                what = f"{title}: samples of the settled value."
                lines = [*self._lines(kpi, some, lambda one: one.settled_samples or None)]
                yield naming.settled_samples(kpi), what, lines
        if naming.parts_of(kpi):
            yield naming.part(kpi), f"{title}: its parts.", [*self._parts(kpi, found)]
        if naming.shows_target(kpi):
            labels = sorted({labels for of in found.values() for labels in of})
            targets = [(f"{{{one}}}", self._aims.get(one, self._of_every).get(kpi.name)) for one in labels]
            yield naming.ledger_target(kpi), f"{title}: the target in force.", targets

    @staticmethod
    def _lines(
        kpi: FromLedger,
        found: Mapping[LedgerWindow, _Of],
        read: Callable[[LedgerValue], float | None],
    ) -> Iterator[LedgerLine]:
        for window, of in found.items():
            for labels, by_policy in sorted(of.items()):
                start = _windowed(kpi, labels, window)
                for policy, value in by_policy.items():
                    if policy in kpi.parts:
                        continue
                    named = f'{start},{naming.POLICY}="{policy}"' if policy else start
                    if value.amounts is None or read is not _value:
                        yield f"{{{named}}}", read(value)
                        continue
                    for currency, amount in [*value.amounts.items()][:MAX_CURRENCIES]:
                        yield f'{{{named},{naming.CURRENCY}="{currency}"}}', float(amount)

    @staticmethod
    def _parts(kpi: FromLedger, found: Mapping[LedgerWindow, _Of]) -> Iterator[LedgerLine]:
        for window, of in found.items():
            if not kpi.is_level and window != PARTS_WINDOW:
                continue
            for labels, by_policy in sorted(of.items()):
                start = _windowed(kpi, labels, window)
                of_count = {name: float(n) for one in by_policy.values() for name, n in one.parts.items()}
                of_formulas = {name: by_policy[name].value for name in kpi.parts if name in by_policy}
                for name, value in (of_formulas | of_count).items():
                    yield f'{{{start},{naming.PART}="{name}"}}', value


_LABEL: Final = {
    family: naming.SEGMENT if kpi.customers else naming.TEAM
    for kpi in FROM_LEDGER
    if not kpi.placed
    for family in kpi.families
}
"""Family of those who belong to no queue → the label of what they belong to."""


def _windowed(kpi: FromLedger, labels: str, window: LedgerWindow) -> str:
    return labels if kpi.is_level else f'{labels},{naming.WINDOW}="{window}"'


def _large(names: list[str | None]) -> set[str | None]:
    """Return the names that come first, so many that what is left is one more at most."""
    return {*dict.fromkeys(names)} if len({*names}) <= SEGMENTS + 1 else {*[*dict.fromkeys(names)][:SEGMENTS]}


def _value(one: LedgerValue) -> float | None:
    return one.value


def _samples(one: LedgerValue) -> float | None:
    return one.samples or None
