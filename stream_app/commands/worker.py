"""``stream-app worker``."""

from stream_app.logs import configure
from stream_app.processes.worker import run_worker
from stream_app.settings import load


def run() -> None:
    """Count contact events live. To scale, start more workers: they share the topic's partitions.

    Settings come from the environment: KAFKA_BOOTSTRAP_SERVERS, REDIS_URL, STREAM_APP_TOPIC, STREAM_APP_GROUP, … SIGTERM stops
    it cleanly: batches in flight are finished, and the group is left at once.
    """
    settings = load()
    configure(settings)
    run_worker(settings)
