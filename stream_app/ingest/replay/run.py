"""What all kinds of replay share: the account of the records, and when to stop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from stream_app.ingest.dialects import Decode
from stream_app.ingest.files import FileError, RecordFile, checked
from stream_app.model.fold.deltas import Deltas, Result
from stream_app.model.ports import DeadLetter

from .lateness import FirstLate
from .selection import Selection

COMPLAINTS: Final = 10
"""How many lines that are not events are named; all are counted."""


OVERLAP_MS: Final = 60_000
"""So much earlier than the end of the one before it may a file begin."""


class StrictError(FileError):
    """A line that is not an event, in a strict run."""


class Account:
    """What became of the records.

    Attributes:
        read: records read.
        before: of these, counted by an earlier run.
        left_out: of these, not selected.
        sent: of these, sent to Kafka.
        results: result → records, of those that were folded, or not sent because they are not events.
        reasons: (result, reason) → records.
        late: records that came late and were applied.
        first_late: the first one that came too late to count; ``None``: there was none, or it is not known.
        complaints: the first lines that are not events: place, reason and detail.
        unfinished: places of truncated last lines, left for the next run.
    """

    def __init__(self) -> None:
        self.read = self.before = self.left_out = self.sent = self.late = 0
        self.results: Counter[str] = Counter()
        self.reasons: Counter[tuple[str, str]] = Counter()
        self.complaints: list[str] = []
        self.unfinished: list[str] = []
        self.first_late: FirstLate | None = None

    def folded(self, deltas: Deltas) -> None:
        """Add the results of a fold."""
        self.results.update(deltas.results)
        self.reasons.update(deltas.reasons)
        self.late += deltas.late

    def refused(self, reason: str) -> None:
        """Count a line that is not an event, and was not folded."""
        self.results[Result.DEAD_LETTER] += 1
        self.reasons[Result.DEAD_LETTER, reason] += 1


class FileReplay:
    """One replay of some files.

    Attributes:
        dialect: the decoder as it was given.
        decode: the dialect; also refuses what the files' reader refused.
        account: what became of the records.
        selection: which events are wanted.
        left: records that may still be folded or sent.
        told: called now and then with the file that is being read, to show progress.
        key: the Kafka key of all records; ``None`` for that of each record's contact.
        first: the first stamp in the files read so far, ms; ``None``: there was none.
        latest: the latest time in them, ms.
    """

    def __init__(
        self,
        decode: Decode,
        *,
        selection: Selection | None = None,
        limit: int | None = None,
        strict: bool = False,
        key: str | None = None,
        told: Callable[[RecordFile], None] = lambda _: None,
    ) -> None:
        """Set the options.

        Args:
            decode: the dialect.
            selection: which events are wanted; all by default.
            limit: the most records, not counting those that are not selected or were counted before.
            strict: the first line that is not an event ends the run.
            key: see above.
            told: see above.
        """
        self.dialect = decode
        self.decode = checked(decode)
        self.account = Account()
        self.selection = selection or Selection()
        self.left = 1 << 62 if limit is None else limit
        self.told = told
        self.key = key
        self.first: int | None = None
        self.latest = 0
        self._strict = strict
        self._file = ""

    def begin(self, file: RecordFile) -> None:
        """Note that a file begins; the first one, or one that follows on all that was read.

        Raises:
            FileError: it begins more than a minute before what was read ends.
        """
        overlaps = file.begins is not None and file.begins < self.latest - OVERLAP_MS
        if self.latest and overlaps and file.calls is None:  # rows of calls hold their own order
            raise FileError(
                f"{file.name}:1: begins at {_shown(file.begins or 0)}, but {self._file}, which is read before it, goes on "
                f"until {_shown(self.latest)}; they overlap: merge them into one file in the order of time"
            )
        self._file = file.name

    def no_event(self, file: RecordFile, number: int, reason: str, detail: str) -> None:
        """Note a line of a file that is not an event.

        Raises:
            StrictError: the run is strict.
        """
        line = f"{file.name}:{number}: {reason}: {detail}"
        if self._strict:
            raise StrictError(line)
        if len(self.account.complaints) < COMPLAINTS:
            self.account.complaints.append(line)

    def dead(self, file: RecordFile, numbers: Mapping[int, int], letters: Sequence[DeadLetter]) -> None:
        """Note dead letters of a fold; ``numbers`` are the lines of its records, by offset.

        Raises:
            StrictError: the run is strict.
        """
        for letter in letters:
            self.no_event(file, numbers[letter.offset], letter.reason, letter.detail)


def _shown(at: int) -> str:
    return datetime.fromtimestamp(at // 1000, UTC).isoformat().replace("+00:00", "Z")
