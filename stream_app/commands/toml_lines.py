"""Where each field of a TOML document is, which the standard library's parser does not report.

The document must have been parsed before: what is scanned here is valid TOML 1.0, so only its structure matters.
"""

from __future__ import annotations

import tomllib
from bisect import bisect_right
from itertools import accumulate
from typing import Final

FieldPath = tuple[str | int, ...]
_BLANK: Final = " \t\r\n"
_ENDS: Final = ",]}#\n"


def lines(text: str) -> dict[FieldPath, int]:
    """Return the line of each table, key and element of an array, from 1; the path () is the document."""
    return _Scanner(text.replace("\r\n", "\n")).scan()


def line_of(found: dict[FieldPath, int], path: FieldPath) -> int:
    """Return the line of a field; of the innermost field around it if it is missing."""
    while path not in found:
        path = path[:-1]
    return found[path]


class _Scanner:
    """Walks a document once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
        self._found: dict[FieldPath, int] = {(): 1}
        self._lists: dict[FieldPath, int] = {}

    def scan(self) -> dict[FieldPath, int]:
        """Walk it."""
        table: FieldPath = ()
        while self._skip():
            if self._text.startswith("[[", self._at):
                table = self._header(2)
            elif self._text[self._at] == "[":
                table = self._header(1)
            else:
                self._pair(table)
        return self._found

    def _header(self, brackets: int) -> FieldPath:
        at = self._at
        self._at += brackets
        *parts, last = self._keys("]")
        self._at += brackets
        path: FieldPath = ()
        for part in parts:
            path = self._newest((*path, part))
            self._note(path, at)
        path = (*path, last)
        if brackets == 1:
            path = self._newest(path)
        else:
            self._note(path, at)
            self._lists[path] = self._lists.get(path, -1) + 1
            path = (*path, self._lists[path])
        self._note(path, at)
        return path

    def _newest(self, path: FieldPath) -> FieldPath:
        """Return the newest element if the path is a list of tables."""
        return (*path, self._lists[path]) if path in self._lists else path

    def _pair(self, table: FieldPath) -> None:
        at, path = self._at, table
        for key in self._keys("="):
            path = (*path, key)
            self._note(path, at)
        self._at += 1
        self._value(path)

    def _keys(self, end: str) -> list[str]:
        """Read a dotted key up to a character."""
        keys: list[str] = []
        while True:
            self._blanks(" \t")
            at = self._at
            if self._text[at] in "\"'":
                self._string()
            else:
                while self._text[self._at] not in f".{end} \t":
                    self._at += 1
            keys += tomllib.loads(f"{self._text[at : self._at]} = 0")
            self._blanks(" \t")
            if self._text[self._at] == end:
                return keys
            self._at += 1

    def _value(self, path: FieldPath) -> None:
        self._blanks(" \t")
        first = self._text[self._at]
        if first in "\"'":
            self._string()
        elif first == "[":
            self._array(path)
        elif first == "{":
            self._inline(path)
        else:
            while self._at < len(self._text) and self._text[self._at] not in _ENDS:
                self._at += 1

    def _array(self, path: FieldPath) -> None:
        self._at += 1
        n = 0
        while self._skip() and self._text[self._at] != "]":
            self._note((*path, n), self._at)
            self._value((*path, n))
            n += 1
            self._skip()
            self._at += self._text[self._at] == ","
        self._at += 1

    def _inline(self, path: FieldPath) -> None:
        self._at += 1
        while self._skip() and self._text[self._at] != "}":
            self._pair(path)
            self._skip()
            self._at += self._text[self._at] == ","
        self._at += 1

    def _string(self) -> None:
        quote = self._text[self._at]
        if self._text.startswith(quote * 3, self._at):
            self._at += 3
            while not self._text.startswith(quote * 3, self._at):
                self._at += 2 if quote == '"' and self._text[self._at] == "\\" else 1
            self._at += 3
            while self._text.startswith(quote, self._at):  # up to two more belong to the text
                self._at += 1
            return
        self._at += 1
        while self._text[self._at] != quote:
            self._at += 2 if quote == '"' and self._text[self._at] == "\\" else 1
        self._at += 1

    def _skip(self) -> bool:
        """Skip blanks and comments; return whether anything follows."""
        while self._at < len(self._text):
            self._blanks(_BLANK)
            if not self._text.startswith("#", self._at):
                break
            end = self._text.find("\n", self._at)
            self._at = len(self._text) if end < 0 else end
        return self._at < len(self._text)

    def _blanks(self, which: str) -> None:
        while self._at < len(self._text) and self._text[self._at] in which:
            self._at += 1

    def _note(self, path: FieldPath, at: int) -> None:
        self._found.setdefault(path, bisect_right(self._starts, at))
