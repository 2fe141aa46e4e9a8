"""Logging: structured, to stderr, without secrets or personal data."""

from __future__ import annotations

import logging
import sys

import structlog

from .errors import StreamAppError
from .settings import Settings

_QUIET = ("aiokafka", "faust", "mode", "asyncio", "aiohttp.access")


def configure(settings: Settings) -> None:
    """Send the log lines of structlog and of the libraries to stderr, in one format."""
    level = getattr(logging, settings.log_level.upper())
    shared: list[structlog.types.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.types.Processor
    if settings.log_format == "json":
        shared.append(structlog.processors.dict_tracebacks)
        renderer = structlog.processors.JSONRenderer()
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            exception_formatter=structlog.dev.plain_traceback,  # the rich one prints locals: payloads, settings
        )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    handler.addFilter(_meant_for_people)
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )


def _meant_for_people(record: logging.LogRecord) -> bool:
    """Omit the traceback of an error whose message says everything; where it was raised helps nobody."""
    if record.exc_info and isinstance(record.exc_info[1], StreamAppError):
        record.exc_info = None
    return True
