"""Structured logs: one line per table per step and one per run, with run id and counts.

Never record contents, names, query strings or secrets: `_redact` is the last line of defence,
not a licence to pass them.
"""

import logging
import re
import sys
from typing import Any, TextIO, cast

import structlog

_SECRET_KEY = re.compile(r"pass|secret|token|authorization|cookie|apikey|api_key", re.IGNORECASE)
_QUERY_STRING = re.compile(r"(https?://[^\s?]+)\?\S+")


def _redact(_logger: Any, _name: str, event: Any) -> Any:
    for key, value in event.items():
        if _SECRET_KEY.search(key):
            event[key] = "***"
        elif isinstance(value, str):
            event[key] = _QUERY_STRING.sub(r"\1?…", value)
    return event


def configure(level: str = "info", style: str = "text", stream: TextIO | None = None) -> None:
    """Send logs to `stream` (default stderr) as `text` for people or `json` for collectors."""
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=False, pad_event_to=24)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )


def get(name: str) -> structlog.typing.FilteringBoundLogger:
    """A logger that carries the module it speaks for."""
    return cast(structlog.typing.FilteringBoundLogger, structlog.get_logger(module=name))
