"""A real Prometheus that scrapes what a test shows it, and its tool that checks rules."""

import json
import os
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import yaml

from tests.services.process import HOST, ServerProcess, ServiceError, free_port, run_tool


class Sample(NamedTuple):
    """One series of an instant query: its labels (`__name__` among them, if it has one), and its value."""

    labels: Mapping[str, str]
    value: float


class Prometheus(ServerProcess):
    """A Prometheus on 127.0.0.1.

    `targets` and `alertmanagers` are host:port, `rules` are files, `blocks` is a folder that was filled by promtool.
    """

    name = "prometheus"

    def __init__(
        self,
        targets: Sequence[str] = (),
        *,
        rules: Sequence[Path] = (),
        alertmanagers: Sequence[str] = (),
        scrape_interval: str = "200ms",
        blocks: Path | None = None,
    ) -> None:
        super().__init__()
        self._blocks = blocks
        self.port = free_port()
        self._config = {
            "global": {"scrape_interval": scrape_interval, "evaluation_interval": scrape_interval},
            "rule_files": [str(path.resolve()) for path in rules],
            "scrape_configs": [{"job_name": "stream-app", "static_configs": [{"targets": [*targets]}]}],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [*alertmanagers]}]}]},
        }

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{HOST}:{self.port}"

    def command(self) -> list[str]:
        """Run the server in the foreground."""
        config = self.directory / "prometheus.yml"
        config.write_text(yaml.safe_dump(self._config))
        return [
            "prometheus",
            f"--config.file={config}",
            f"--storage.tsdb.path={self._blocks or self.directory / 'data'}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address={HOST}:{self.port}",
        ]

    def ready(self) -> bool:
        """It says that it is ready, so the rules and the configuration are loaded."""
        try:
            return self._get("/-/ready")[0] == 200
        except OSError:
            return False

    def query(self, expression: str, *, at: float | None = None) -> list[Sample]:
        """Evaluate PromQL now, or at a Unix time, and return its series; ServiceError if it is wrong."""
        moment = {} if at is None else {"time": str(at)}
        data = self._api("query", query=expression, **moment)
        if data["resultType"] == "scalar":
            return [Sample({}, float(data["result"][1]))]
        return [Sample(series["metric"], float(series["value"][1])) for series in data["result"]]

    def query_range(
        self, expression: str, start: float, end: float, step: float
    ) -> list[tuple[Mapping[str, str], dict[float, float]]]:
        """Evaluate PromQL at each step, both ends included; return labels, and value by Unix time."""
        data = self._api("query_range", query=expression, start=str(start), end=str(end), step=str(step))
        return [
            (series["metric"], {float(at): float(value) for at, value in series["values"]})
            for series in data["result"]
        ]

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that are pending or firing, as Prometheus says it."""
        alerts: list[dict[str, Any]] = self._api("alerts")["alerts"]
        return alerts

    def _api(self, path: str, **parameters: str) -> dict[str, Any]:
        status, body = self._get(f"/api/v1/{path}?{urlencode(parameters)}")
        answer = json.loads(body)
        if answer["status"] != "success":
            raise ServiceError(f"prometheus: {status}, {answer['error']}")
        data: dict[str, Any] = answer["data"]
        return data

    def _get(self, path: str) -> tuple[int, bytes]:
        connection = HTTPConnection(HOST, self.port, timeout=10)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


def promtool(*args: str | Path) -> str:
    """Run promtool (`"check", "rules", path`) and return what it says; ServiceError with it if it fails."""
    os.environ.setdefault("GOGC", "400")  # it collects garbage for a quarter of its time
    return run_tool("promtool", *args)
