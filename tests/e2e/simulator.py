"""A ``stream-app simulate`` of the tests' own: a live contact centre of a seed."""

import sys

from tests.services.kafka import Cluster
from tests.services.process import ServerProcess


class Simulator(ServerProcess):
    """The command, into a topic."""

    name = "simulate"

    def __init__(self, kafka: Cluster, topic: str, *options: str) -> None:
        super().__init__()
        self._environment = {"KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap, "STREAM_APP_TOPIC": topic}
        self._options = options

    def command(self) -> list[str]:
        """Run it."""
        environment = [f"{name}={value}" for name, value in self._environment.items()]
        return ["env", *environment, sys.executable, "-m", "stream_app", "simulate", *self._options]

    def ready(self) -> bool:
        """It runs: what it says arrives later."""
        return True
