"""What ``stream-app check`` finds: one line each."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

LIMIT_S: Final = 5.0
"""No check takes longer, whoever does not answer."""


class Finding(Struct, frozen=True):
    """One thing that was looked at.

    Attributes:
        status: ``fail`` must be put right; ``warn`` works, and will be regretted.
        what: which thing, in a word or two.
        detail: what was found; never a secret.
        advice: what to do about it; empty where there is nothing to do.
    """

    status: Literal["ok", "warn", "fail"]
    what: str
    detail: str
    advice: str = ""

    def __str__(self) -> str:
        advice = f"; {self.advice}" if self.advice else ""
        # One line, whatever a library's message holds.
        return f"{self.status:<6}{self.what:<20}{' '.join((self.detail.rstrip('.') + advice).split())}"


def ok(what: str, detail: str) -> Finding:
    """As it should be."""
    return Finding("ok", what, detail)


def warn(what: str, detail: str, advice: str) -> Finding:
    """Works, and will be regretted."""
    return Finding("warn", what, detail, advice)


def fail(what: str, detail: str, advice: str) -> Finding:
    """Must be put right."""
    return Finding("fail", what, detail, advice)
