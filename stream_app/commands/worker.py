"""``stream-app worker``."""


def run() -> None:
    """Fold contact events into live counters. Start more of them to scale: they share the topic's partitions.

    Settings come from the environment: KAFKA_BOOTSTRAP_SERVERS, REDIS_URL, STREAM_APP_TOPIC, STREAM_APP_GROUP, … SIGTERM stops
    cleanly: the batch under way is finished and the group is left at once.
    """
    from stream_app.app import run_worker  # noqa: PLC0415 - the other commands need not load Faust
    from stream_app.logs import configure  # noqa: PLC0415 - same
    from stream_app.settings import load  # noqa: PLC0415 - same

    settings = load()
    configure(settings)
    run_worker(settings)
