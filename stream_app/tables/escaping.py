"""Text in the cells of a table: what a spreadsheet would take for a formula is marked, and the mark is taken off again.

A cell that begins with ``=``, ``+``, ``-`` or ``@`` (or blanks before one of them, or a tab or line break) is run as a formula
by spreadsheets, whoever chose the name. Such a cell gets one apostrophe in front, which makes it text; so does a cell that
begins with apostrophes before one of these, so that taking one off always gives the text that was there. OWASP's page "CSV
Injection" lists the characters; the wide ones are taken for the plain ones by spreadsheets of East Asia.
"""

from __future__ import annotations

import re
from typing import Final

_RUN: Final = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")  # noqa: RUF001 - the wide ones are meant
_MARKED: Final = re.compile(rf"'+(?:{_RUN.pattern})")


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would run it."""
    return _RUN.match(text) is not None


def marked(text: str) -> str:
    """Text as it is written into a cell."""
    return f"'{text}" if is_formula(text) or _MARKED.match(text) else text


def unmarked(cell: str) -> str:
    """The text that a cell stands for."""
    return cell[1:] if _MARKED.match(cell) else cell
