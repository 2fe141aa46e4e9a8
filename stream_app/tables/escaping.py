"""Text in the cells of a table: text that a spreadsheet would run as a formula is marked, and unmarked when read back.

A cell that begins with ``=``, ``+``, ``-`` or ``@`` (or blanks before one of them, or a tab or line break) is run as a formula
by spreadsheets, whoever chose the name. Such a cell gets one apostrophe in front, which makes it text; so does a cell that
begins with apostrophes before one of these, so that removing one always restores the original text. OWASP's page "CSV
Injection" lists the characters; spreadsheets of East Asia treat the wide ones like the plain ones.
"""

from __future__ import annotations

import re
from typing import Final

_RUN: Final = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")  # noqa: RUF001 - the wide ones are intended
_MARKED: Final = re.compile(rf"'+(?:{_RUN.pattern})")


def is_formula(text: str) -> bool:
    """Return whether a spreadsheet would run the text as a formula."""
    return _RUN.match(text) is not None


def marked(text: str) -> str:
    """Mark text for writing it into a cell."""
    return f"'{text}" if is_formula(text) or _MARKED.match(text) else text


def unmarked(cell: str) -> str:
    """Return the original text of a cell."""
    return cell[1:] if _MARKED.match(cell) else cell
