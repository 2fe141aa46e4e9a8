"""A ``serve`` over a real ledger: its service of KPIs, with its process, and its routes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from stream_app.ledger.local_files import LocalFiles
from stream_app.ledger.whys import LedgerWhys
from stream_app.model.targets import Targets
from stream_app.processes.ledger_numbers import LIMIT_S, LedgerNumbersService
from stream_app.settings import Settings
from stream_app.views.contacts.api import Admission, ContactSource
from stream_app.views.screen import Screen
from tests.model.kept import Line
from tests.services.command import ForkedProcess
from tests.services.process import until
from tests.views.examples import busy_board
from tests.views.serving import Served

from .centre import Centre


class Numbers:
    """What serves KPIs of one partition's ledger."""

    def __init__(self, redis_url: str, folder: Path, lines: Iterable[Line], targets: Targets) -> None:
        self.centre = Centre(redis_url, LocalFiles(folder), partitions=1, contacts=1)
        (self.desk,) = self.centre.desks
        self.desk.lines = [*lines]
        self.targets = targets
        self.now = max((line.timestamp for line in self.desk.lines), default=0) + 1
        self.known: int | None = None
        settings: dict[str, Any] = {
            "redis_url": redis_url,
            "ledger": str(folder),
            "ledger_days": "4000",
        }
        self.service = LedgerNumbersService(
            Settings(**settings),
            self.centre.reader,
            self.centre.contacts.turns,
            targets=lambda: self.targets,
            now=lambda: self.now,
            known=lambda: self.known,
            position=lambda: self.desk.position,
        )
        self.service.process = ForkedProcess(LIMIT_S, ended=self.service._remove_copies)
        self.service.pause_s = 0.1
        self._whys = LedgerWhys(self.centre.reader, self.centre.contacts.turns, lambda: self.known)
        self._task: asyncio.Task[None] | None = None
        self.served: Served | None = None

    async def begin(self) -> None:
        await self.centre.claim()

    async def serve(
        self,
        places: Iterable[tuple[str, str]],
        shown: Admission = "auto",
        host: str = "127.0.0.1",
        *,
        refresh: bool = True,
    ) -> Served:
        """Serve, and refresh."""
        self.served = Served(
            busy_board((*places,)),
            screen=Screen(contact_url="https://platform.example/{contact_id}"),
            contacts=ContactSource(None, shown, host, whys=self._whys, kpis=self.service),
        )
        self.served.targets = self.targets
        self.served.board.advance(self.now)
        await self.served.start()
        if refresh:
            self._task = asyncio.create_task(self.service.run())
        return self.served

    async def fresh(self) -> None:
        """Wait for numbers that have everything that was counted by now."""
        before = self.service.latest().numbers

        async def refreshed() -> bool:
            if self._task is not None and self._task.done():
                self._task.result()
            found = self.service.latest()
            assert found.numbers is not None or "first" in found.problem, found.problem
            latest = found.numbers
            return latest is not None and latest is not before

        await until(refreshed, 240, "the KPIs are computed")

    async def get(self, path: str) -> Any:
        """The answer of a path, which is one."""
        assert self.served
        status, _, answer = await self.served.get(path)
        assert status == 200, answer
        return answer

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.service.close()
        if self.served is not None:
            await self.served.runner.cleanup()
        await self.centre.close()
