"""``stream-app ledger``."""

from stream_app.logs import configure
from stream_app.processes.ledger import write_ledger
from stream_app.settings import load


def run() -> None:
    """Write the contacts that were counted into the ledger: Parquet files in STREAM_APP_LEDGER, a folder or a bucket.

    Settings come from the environment: REDIS_URL, STREAM_APP_LEDGER, STREAM_APP_LEDGER_DAYS, AWS_ENDPOINT_URL, … Usually one
    is enough; a second one takes over where the first one ends. SIGTERM stops it cleanly.
    """
    settings = load()
    configure(settings)
    write_ledger(settings)
