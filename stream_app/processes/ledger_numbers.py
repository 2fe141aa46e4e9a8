"""KPIs of the ledger in ``serve``.

Windows are refreshed all the time by a process of their own; other questions are answered on request, as for contacts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Hashable
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Final

import msgspec
import structlog
from msgspec.structs import replace

from stream_app.ledger.contacts import LedgerContacts, translated
from stream_app.ledger.kpis import FAMILIES
from stream_app.ledger.kpis.asking import range_of
from stream_app.ledger.kpis.histories import found_history
from stream_app.ledger.kpis.query import LedgerQuestion
from stream_app.ledger.kpis.refreshing import Refresh, Refreshed, encode, passed_on, refresh
from stream_app.ledger.kpis.windows import AskedNumbers
from stream_app.ledger.libraries import library
from stream_app.ledger.opening import NoContacts
from stream_app.ledger.reading import LedgerReader
from stream_app.ledger.spans import LONGEST_DAY
from stream_app.model.contacts import ContactsMissingError
from stream_app.model.ledger_numbers import (
    LEDGER_WINDOWS,
    HistoryQuery,
    KpiHistory,
    LatestNumbers,
    LedgerNumbers,
    LedgerWindow,
)
from stream_app.model.targets import Targets
from stream_app.settings import Settings
from stream_app.store.reader import Reader
from stream_app.subprocess import Process, ProcessError

PAUSE_S: Final = 5.0
"""Between two refreshes, at least; as long as the refresh before it took, if that was longer."""
QUIET_S: Final = 30.0
"""If nothing was counted since the last refresh, windows are moved on this often."""
LIMIT_S: Final = 600.0
"""A refresh that takes longer hangs."""
ANSWER_S: Final = 20.0
"""A question on request ends after this long; families without sums by then have failed."""
STALE_S: Final = 60.0
"""Numbers that are older are marked."""

_log = structlog.get_logger(__name__)


class LedgerNumbersService:
    """See ``model.ledger_numbers.LedgerKpis``.

    Attributes:
        pause_s: the least time between a refresh and the next one.
    """

    pause_s = PAUSE_S

    def __init__(
        self,
        settings: Settings,
        reader: LedgerReader,
        turns: asyncio.Semaphore,
        *,
        targets: Callable[[], Targets],
        now: Callable[[], int],
        known: Callable[[], int | None],
        position: Callable[[], Hashable],
    ) -> None:
        """Wire it up.

        Args:
            settings: where the ledger is.
            reader: answers what is asked for on request; whoever made it closes it.
            turns: how many of these questions are answered at once.
            targets: those in force.
            now: ms since the epoch.
            known: up to when everything that happened was counted, ms; ``None``: nobody knows.
            position: changes whenever something was counted.
        """
        self.process = Process(LIMIT_S, computes="KPIs of the ledger", ended=self._remove_copies)
        self._copies: TemporaryDirectory[str] | None = None
        self._settings, self._reader, self._turns = settings, reader, turns
        self._targets, self._position = targets, position
        self._now, self._known = now, known
        self._numbers: LedgerNumbers | None = None
        self._problem = "they are computed for the first time"

    async def run(self) -> None:
        """Refresh until cancelled."""
        while True:
            begun, position = monotonic(), self._where()
            await self._refresh()
            await asyncio.sleep(max(self.pause_s, monotonic() - begun))
            await self._quiet(begun + QUIET_S, position)

    async def _quiet(self, until: float, position: Hashable) -> None:
        """Wait while nothing is counted, but not for ever: windows move on."""
        for _ in range(max(0, round(until - monotonic()))):
            if self._where() != position or self._problem:
                return
            await asyncio.sleep(1)

    async def close(self) -> None:
        """End the process, and remove what it copied."""
        await self.process.close()
        if self._copies is not None:
            self._copies.cleanup()
            self._copies = None

    def _remove_copies(self) -> None:
        """Remove what a process has left that has ended; the next one copies to the same folder."""
        if self._copies is not None:
            for one in Path(self._copies.name).iterdir():
                rmtree(one, ignore_errors=True)

    def latest(self) -> LatestNumbers:
        """See the protocol."""
        numbers, problem = self._numbers, self._problem
        if numbers is None:
            return LatestNumbers(None, True, problem)
        age_s = (self._now() - numbers.at) / 1000
        if age_s > STALE_S and not problem:
            problem = f"a refresh takes {numbers.took / 1000:,.0f} s"
        return LatestNumbers(numbers, age_s > STALE_S, problem if age_s > STALE_S else "")

    async def ask(
        self, window: LedgerWindow, group: str, families: Collection[str], targets: Targets
    ) -> LedgerNumbers:
        """See the protocol."""
        now = self._now()
        async with self._turns:
            with translated():
                library("duckdb")
                start = now - (LEDGER_WINDOWS[window] or LONGEST_DAY)
                question = LedgerQuestion(start=start, end=now, known=now)
                wanted = range_of([question], [FAMILIES[name] for name in families])
                async with self._reader.opened(lambda _: wanted) as ledger:
                    numbers = AskedNumbers(
                        ledger, targets, now, self._known(), families=families, within_s=ANSWER_S
                    )
                    await numbers.begin()
                    return await numbers.numbers([window], group)

    async def history(self, query: HistoryQuery, targets: Targets) -> KpiHistory:
        """See the protocol."""
        async with self._turns:
            with translated():
                library("duckdb")
                return await found_history(self._reader, replace(query, known=self._known()), targets)

    def _where(self) -> Hashable:
        return self._position(), id(self._targets())

    async def _refresh(self) -> None:
        now, known = self._now(), self._known()
        try:
            if self._copies is None:
                self._copies = TemporaryDirectory(prefix="ledger-numbers-", ignore_cleanup_errors=True)
            settings, targets = passed_on(self._settings), self._targets().to_json()
            question = encode(Refresh(settings, targets, now, known, self._copies.name))
            answer = await self.process.ask(refresh, question)
            found = msgspec.msgpack.decode(answer, type=Refreshed)
        except ProcessError as error:
            self._failed(str(error))
            return
        except Exception as error:  # noqa: BLE001 - whatever is wrong with them, the live numbers continue
            _log.exception("ledger_numbers_failed")
            self._failed(f"computing them failed: {type(error).__name__}; the log of serve has more")
            return
        if found.numbers is None:
            self._failed(found.problem)
            return
        if self._problem and self._numbers is not None:
            _log.info("ledger_numbers_are_back")
        self._numbers, self._problem = found.numbers, ""

    def _failed(self, problem: str) -> None:
        if problem != self._problem:
            _log.warning("no_ledger_numbers", problem=problem)
        self._problem = problem


class NoLedgerNumbers:
    """Takes the place of what computes KPIs of the ledger where a library is missing."""

    def __init__(self, why: str) -> None:
        """Take one line for people."""
        self._why = why

    def latest(self) -> LatestNumbers:
        """See the protocol."""
        return LatestNumbers(None, True, self._why)

    async def ask(
        self, window: LedgerWindow, group: str, families: Collection[str], targets: Targets
    ) -> LedgerNumbers:
        """See the protocol."""
        del window, group, families, targets
        raise ContactsMissingError(self._why)

    async def history(self, query: HistoryQuery, targets: Targets) -> KpiHistory:
        """See the protocol."""
        del query, targets
        raise ContactsMissingError(self._why)


def known_to(reader: Reader) -> int | None:
    """Return up to when everything that happened was counted, ms; ``None``: nobody knows."""
    age_s = reader.age_s()
    return None if age_s is None else reader.clock.now() - round(age_s * 1000)


def open_numbers(
    settings: Settings, contacts: LedgerContacts | NoContacts | None, reader: Reader
) -> LedgerNumbersService | NoLedgerNumbers | None:
    """Return what computes KPIs of the ledger; ``None`` without one.

    Args:
        settings: where it is.
        contacts: what else asks it.
        reader: of the store.
    """
    if contacts is None:
        return None
    if isinstance(contacts, NoContacts):
        return NoLedgerNumbers(contacts.missing)

    def position() -> Hashable:
        return tuple((name, health.position, health.rollbacks) for name, health in reader.health.items())

    return LedgerNumbersService(
        settings,
        contacts.reader,
        contacts.turns,
        targets=lambda: reader.targets,
        now=reader.clock.now,
        known=lambda: known_to(reader),
        position=position,
    )
