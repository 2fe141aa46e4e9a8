"""``stream-app render``: every generated file from the catalogue."""

from __future__ import annotations

import tomllib
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:  # quick --help
    from stream_app.views.alerts.receivers import Receivers

SHOWN_LINES = 20
"""So much of each difference is printed."""


def run(
    *,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if a file differs.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write what Prometheus and Grafana are given there.")
    ] = None,
    alerting: Annotated[
        Literal["grafana", "prometheus"] | None,
        typer.Option(help="With --out: who evaluates the alerts; the other one is given none."),
    ] = None,
    receivers: Annotated[
        Path | None,
        typer.Option(help="TOML that says who is told, as docs/receivers.example.toml; default: nobody."),
    ] = None,
) -> None:
    """Write dashboards, alert rules, who is told, and the KPIs' documentation anew from the catalogue.

    In a checkout it writes the committed files, for either answer to who evaluates the alerts; the variable
    ALERTING of docker-compose.yml chooses one. --out and --alerting lay out one answer for servers elsewhere.
    """
    from stream_app.errors import StreamAppError  # noqa: PLC0415 - the other commands need not load it
    from stream_app.views import files  # noqa: PLC0415 - same
    from stream_app.views.alerts.receivers import UNCHOSEN, secret_files  # noqa: PLC0415 - same

    if (out is None) != (alerting is None):
        raise StreamAppError(
            "render: --out and --alerting go together; say where, and who evaluates the alerts"
        )
    root = out or Path()
    told = _receivers(receivers, alertmanager=alerting != "grafana") if receivers else UNCHOSEN
    for file in secret_files(told):
        reader = {"grafana": "Grafana", "prometheus": "Alertmanager", None: "whoever tells"}[alerting]
        typer.echo(f"{reader} will read {file}")
    if alerting:
        wanted = files.deployed(alerting, told)
    else:
        try:
            wanted = files.committed((root / "README.md").read_text(encoding="utf-8"), told)
        except FileNotFoundError:
            raise StreamAppError("render: no README.md here; run it in the root of a checkout") from None
    differing = [name for name, text in wanted.items() if _read(root / name) != text]
    for name in differing:
        path = root / name
        if check:
            typer.echo(f"{path} differs:\n{_difference(_read(path), wanted[name])}")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[name], encoding="utf-8")
            typer.echo(f"wrote {path}")
    if check and differing:
        typer.echo("run `stream-app render`")
        raise typer.Exit(1)


def _receivers(path: Path, *, alertmanager: bool) -> Receivers:
    """The document in a file.

    Raises:
        BadSettingsError: it can't be read, or says something that can't be meant.
    """
    from stream_app.errors import BadSettingsError  # noqa: PLC0415 - quick --help
    from stream_app.views.alerts.receivers import Receivers, unfit  # noqa: PLC0415 - same

    try:
        found = Receivers.of(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise BadSettingsError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise BadSettingsError(f"{path}: {error}") from None
    if wrong := unfit(found, alertmanager=alertmanager):
        raise BadSettingsError(f"{path}: {wrong}")
    return found


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _difference(before: str, after: str) -> str:
    """The first lines of a difference, for people."""
    lines = list(
        unified_diff(before.splitlines(), after.splitlines(), "committed", "generated", n=1, lineterm="")
    )
    more = [f"… and {len(lines) - SHOWN_LINES} lines more"] if len(lines) > SHOWN_LINES else []
    return "\n".join(f"  {line}" for line in [*lines[:SHOWN_LINES], *more])
