"""A Kafka-compatible broker in a separate process: ``python -m stream_app.demo.broker FILE``.

It is the mock cluster inside librdkafka, which comes with confluent-kafka: one broker, topics of four partitions that are
created automatically, consumer groups, about 5 MB kept of each partition. Good for a demo, and for nothing else. It writes
its address into FILE as soon as it answers; SIGTERM ends it.
"""

import signal
import sys
from pathlib import Path

_LOOK_S = 10.0


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    from confluent_kafka import Producer  # noqa: PLC0415 - an optional dependency

    stopping = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stopping)  # before librdkafka's threads begin
    file = Path(sys.argv[1])
    host = Producer({"test.mock.num.brokers": 1, "log_level": 3})  # the cluster lives as long as this client
    (broker,) = host.list_topics(timeout=_LOOK_S).brokers.values()
    unfinished = file.with_suffix(".tmp")
    unfinished.write_text(f"{broker.host}:{broker.port}")
    unfinished.rename(file)
    signal.sigwait(stopping)


if __name__ == "__main__":
    main()
