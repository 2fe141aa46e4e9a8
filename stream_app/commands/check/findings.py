"""Findings of ``stream-app check``: one line each."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

LIMIT_S: Final = 5.0
"""The longest that a check takes, seconds, even if a server does not answer."""


class Finding(Struct, frozen=True):
    """The result of one check.

    Attributes:
        status: ``fail`` must be fixed; ``warn`` works, but will cause trouble.
        what: the thing checked, in a word or two.
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
    """Return a finding of something that is as it should be."""
    return Finding("ok", what, detail)


def warn(what: str, detail: str, advice: str) -> Finding:
    """Return a finding of something that works, but will cause trouble."""
    return Finding("warn", what, detail, advice)


def fail(what: str, detail: str, advice: str) -> Finding:
    """Return a finding of something that must be fixed."""
    return Finding("fail", what, detail, advice)
