"""``stream-app render``: every generated file from the catalogue."""

from __future__ import annotations

import re
import tomllib
from difflib import unified_diff
from pathlib import Path
from typing import Annotated, Literal

import typer

from stream_app.errors import BadSettingsError, StreamAppError
from stream_app.ledger import columns_page
from stream_app.views import files
from stream_app.views.alerts import COMPOSE, Addresses, custom_files
from stream_app.views.alerts.receivers import UNCHOSEN, Receivers, notices, secret_files, unfit

from .custom_rules import custom_rules
from .secret_files import doubts

SHOWN_LINES = 20
"""Lines of each difference that are printed."""


def run(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with code 1 if a file differs.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write the files for Prometheus and Grafana to this folder.")
    ] = None,
    alerting: Annotated[
        Literal["grafana", "prometheus"] | None,
        typer.Option(help="With --out: which of them evaluates the alerts; the other one gets none."),
    ] = None,
    receivers: Annotated[
        Path | None,
        typer.Option(
            help="TOML file of who gets which alerts, as docs/receivers.example.toml. Default: nobody."
        ),
    ] = None,
    rules: Annotated[
        Path | None,
        typer.Option(
            help="TOML file of custom alert rules, as docs/rules.example.toml, with a test of each for promtool. "
            "Default: leave custom rules as they are."
        ),
    ] = None,
    wallboard: Annotated[
        str,
        typer.Option(
            envvar="STREAM_APP_PUBLIC_URL",
            help="Address of `serve`, as people reach it, for links in alerts.",
        ),
    ] = COMPOSE.wallboard,
    grafana: Annotated[
        str,
        typer.Option(
            envvar="GRAFANA_URL", help="Address of Grafana for links in alerts that Prometheus evaluates."
        ),
    ] = COMPOSE.grafana,
) -> None:
    """Regenerate dashboards, alert rules, alert routing and the KPI documentation from the catalogue.

    In a checkout it writes the committed files, both for Grafana and for Prometheus as evaluator of the alerts; the variable
    ALERTING of docker-compose.yml chooses one. --out and --alerting write the files of one of them for servers elsewhere.
    """
    if (out is None) != (alerting is None):
        raise StreamAppError(
            "render: --out and --alerting go together: use --out FOLDER --alerting grafana, or prometheus"
        )
    root = out or Path()
    told = _receivers(receivers, alertmanager=alerting != "grafana") if receivers else UNCHOSEN
    if receivers:
        _mention(receivers, told, alerting, None if out else root)
    addresses = Addresses(_address("wallboard", wallboard), _address("grafana", grafana))
    if alerting:
        wanted = files.deployed(alerting, told, addresses)
    else:
        try:
            partly = {name: (root / name).read_text(encoding="utf-8") for name in files.READ}
        except FileNotFoundError as error:
            raise StreamAppError(
                f"render: file not found: {error.filename}; run it in the root of a checkout"
            ) from None
        wanted = files.committed(partly, told, addresses) | {columns_page.PATH: columns_page.page()}
    if rules:
        known = told.named if receivers else {}
        before = {name: _read(root / name) for name in custom_files.paths(alerting)}
        wanted |= custom_files.files(alerting, custom_rules(rules, known), told.runbook, before, addresses)
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


def _address(option: str, text: str) -> str:
    """Return an address without a slash at the end.

    Raises:
        StreamAppError: it is none that a link can begin with.
    """
    if not re.fullmatch(r"https?://[^\s${}#?]+", text):
        raise StreamAppError(
            f"render: --{option}: expected an address like https://wallboard.example.org, got {text!r}"
        )
    return text.rstrip("/")


def _receivers(path: Path, *, alertmanager: bool) -> Receivers:
    """Read a file of receivers.

    Raises:
        BadSettingsError: it can't be read, or is invalid.
    """
    try:
        found = Receivers.of(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise BadSettingsError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise BadSettingsError(f"{path}: {error}") from None
    if wrong := unfit(found, alertmanager=alertmanager):
        raise BadSettingsError(f"{path}: {wrong}")
    return found


def _mention(path: Path, told: Receivers, alerting: str | None, checkout: Path | None) -> None:
    """Print which secrets will be read, by whom, and what may go wrong with that."""
    reader = {"grafana": "Grafana", "prometheus": "Alertmanager"}.get(
        alerting or "", "Grafana or Alertmanager"
    )
    for notice in notices(told):
        typer.echo(f"{path}: {notice}")
    for file in secret_files(told):
        typer.echo(f"{reader} will read {file}")
    for doubt in doubts(checkout, secret_files(told)) if checkout else ():
        typer.echo(f"warn: {doubt}", err=True)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _difference(before: str, after: str) -> str:
    """Return the first lines of a difference, for people."""
    lines = list(
        unified_diff(before.splitlines(), after.splitlines(), "committed", "generated", n=1, lineterm="")
    )
    more = [f"… and {len(lines) - SHOWN_LINES} more lines"] if len(lines) > SHOWN_LINES else []
    return "\n".join(f"  {line}" for line in [*lines[:SHOWN_LINES], *more])
