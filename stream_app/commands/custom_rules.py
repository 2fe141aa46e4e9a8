"""Files of custom alert rules, read with the line of each mistake."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection
from pathlib import Path

from stream_app.errors import BadSettingsError
from stream_app.model.alerting.conditions import FieldError
from stream_app.model.alerting.reading import read
from stream_app.model.alerting.rules import CustomRule
from stream_app.model.targets.calendars import guess
from stream_app.views import alerts

from .toml_lines import FieldPath, line_of, lines


def custom_rules(file: Path, receivers: Collection[str] | None = None) -> tuple[CustomRule, ...]:
    """Read a file of rules.

    Args:
        file: TOML with [[rules]].
        receivers: names that rules may notify; ``None`` if they are not known here.

    Raises:
        BadSettingsError: one line with file, line, field, what was expected and what was found.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise BadSettingsError(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadSettingsError(f"{file}: expected UTF-8 text") from None
    try:
        found = read(tomllib.loads(text), [rule.name for rule in alerts.rules()])
        _check_receivers(found, receivers)
    except tomllib.TOMLDecodeError as error:
        raise BadSettingsError(_syntax(file, text, str(error))) from None
    except FieldError as error:
        raise BadSettingsError(f"{file}:{line_of(lines(text), error.path)}: {error}") from None
    return found


def _check_receivers(rules: Collection[CustomRule], known: Collection[str] | None) -> None:
    for n, rule in enumerate(rules):
        if rule.receiver is None or known is None or rule.receiver in known:
            continue
        path: FieldPath = ("rules", n, "receiver")
        those = (
            f"; the file of receivers has {', '.join(sorted(known))}"
            if known
            else "; add it to the file of --receivers"
        )
        raise FieldError(path, f"unknown receiver {rule.receiver!r}{guess(rule.receiver, known) or those}")


def _syntax(file: Path, text: str, complaint: str) -> str:
    """Move the place of a syntax error to where all messages have it."""
    what, _, place = complaint.partition(" (at ")
    found = re.match(r"line (\d+), column (\d+)", place)
    line, column = (found[1], f", column {found[2]}") if found else (str(len(text.splitlines()) or 1), "")
    return f"{file}:{line}: invalid TOML{column}: {what[0].lower()}{what[1:]}"
