"""Dead letters as text: how many of each reason, and a page of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from stream_app.store.dead_letters import StoredLetter

Place = tuple[int, int, int]


def listing(
    topic: str,
    letters: Sequence[StoredLetter],
    *,
    limit: int,
    before: Place | None = None,
    show_values: bool = False,
) -> Iterator[str]:
    """Yield lines about letters, given the oldest first and shown the newest first.

    Args:
        topic: their topic.
        letters: all that were asked for.
        limit: at most this many are listed one by one.
        before: only those that were stored before this place are listed; all are counted.
        show_values: print what records contained, which may be personal data.
    """
    if not letters:
        yield f"{topic}: no dead letters"
        return
    yield f"{topic}: {len(letters):,} {'dead letter' if len(letters) == 1 else 'dead letters'}"
    newest = {letter.letter.reason: letter.at for letter in letters}
    counts = {reason: sum(letter.letter.reason == reason for letter in letters) for reason in newest}
    for reason, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        yield f"  {reason:<10} {count:>8,}   newest {_time(newest[reason])}"
    older = [letter for letter in letters if before is None or letter.place < before]
    page = older[-limit:][::-1] if limit else []
    if page:
        yield ""
        yield f"{'stored (UTC)':<20} {'partition':>9} {'offset':>12}  {'reason':<10} detail"
    for letter in page:
        of = letter.letter
        yield f"{_time(letter.at):<20} {letter.partition.number:>9} {of.offset:>12}  {of.reason:<10} {printable(of.detail)}"
        if show_values:
            yield f"    {printable(of.value.decode(errors='backslashreplace'))}"
    if page and len(older) > len(page):
        yield f"{len(older) - len(page):,} older: --before {'-'.join(map(str, page[-1].place))}"


def printable(text: str) -> str:
    """Escape what a terminal would obey instead of showing it."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
