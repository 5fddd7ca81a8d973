"""The log as JSON lines in the home, for operators: one object a line, rotated, without what people said.

Events of tables carry ids and numbers. Of an error the log keeps where it arose and its kind; its
words only where they are one of our own sentences.
"""

import contextlib
import json
import logging
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from bot.table import observing
from characters.errors import UnderstudyError

FILE = "understudy.jsonl"
_SIZE, _KEPT = 5_000_000, 5


class JsonLines(logging.Formatter):
    """A record as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, interaction, and what there is besides."""
        told: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(), "logger": record.name, "interaction": observing.interaction(),
            "event": record.getMessage(), **getattr(record, "fields", {}),
        }  # fmt: skip
        if record.exc_info and record.exc_info[1] is not None:
            told["error"] = _error(record.exc_info[1])
        return json.dumps(told, ensure_ascii=False, default=str)


def _error(error: BaseException) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)
    where = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    sentence = {"message": str(error)} if isinstance(error, UnderstudyError) else {}
    return {"kind": type(error).__name__, "where": where, **sentence}


@contextlib.contextmanager
def kept_log(folder: Path) -> Iterator[Path]:
    """Keep the log in a folder until the end; yields the file."""
    file = folder / FILE
    handler = RotatingFileHandler(file, maxBytes=_SIZE, backupCount=_KEPT, encoding="utf-8", delay=True)
    handler.setFormatter(JsonLines())
    handler.setLevel(logging.INFO)
    loggers = [logging.getLogger(), observing.log]
    before = observing.log.level
    observing.log.setLevel(logging.INFO)
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield file
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
        observing.log.setLevel(before)
        handler.close()
