"""What is logged: one JSON object a line on standard error, and never what people typed.

Messages of exceptions may quote anything: a statement's values, an expression's inputs, a request's address. So of an exception the log gets
its class and the lines of code it came through, whoever logs it: this application, a library, gunicorn, the interpreter itself.
"""

import json
import logging
import sys
import threading
from datetime import UTC, datetime

import structlog

PLACES = 8  # the innermost


def configure() -> None:
    """For this process: structlog, the standard library's logging, and what nobody caught."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.raiseExceptions = False  # a line that cannot be written is lost, rather than printed with all it holds
    handler = Stderr()
    handler.setFormatter(Lines())
    root = logging.getLogger()
    root.handlers[:] = [each for each in root.handlers if not isinstance(each.formatter, Lines)] + [handler]
    logging.captureWarnings(True)
    sys.excepthook = lambda kind, error, trace: _uncaught(error)
    threading.excepthook = lambda told: _uncaught(told.exc_value)


def places(error: BaseException) -> list[str]:
    """The lines of code an exception came through, the innermost last."""
    found, trace = [], error.__traceback__
    while trace is not None:
        found.append(f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno} {trace.tb_frame.f_code.co_name}")
        trace = trace.tb_next
    return found[-PLACES:]


class Stderr(logging.StreamHandler):
    """What standard error is at the time, as `logging.lastResort` has it."""

    def __init__(self):
        logging.Handler.__init__(self)

    @property
    def stream(self):
        """Where lines go."""
        return sys.stderr


class Lines(logging.Formatter):
    """The standard library's records as structlog writes its own. Warnings are told by where they arose: their text may quote values."""

    def format(self, record: logging.LogRecord) -> str:
        """One JSON object."""
        event = record.msg % record.args if record.args else str(record.msg)
        if record.name == "py.warnings":
            event = str(record.args[0] if record.args else record.msg).split(": ")[:2]
        line = {"event": event, "logger": record.name, "level": record.levelname.lower()}
        line["timestamp"] = datetime.fromtimestamp(record.created, UTC).isoformat()
        if record.exc_info and record.exc_info[1] is not None:
            line |= {"error": type(record.exc_info[1]).__name__, "at": places(record.exc_info[1])}
        return json.dumps(line, ensure_ascii=False)


def _uncaught(error: BaseException | None) -> None:
    if error is not None and not isinstance(error, KeyboardInterrupt):
        logging.getLogger("shuibo").critical("uncaught", exc_info=error)
