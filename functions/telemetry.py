"""The one logger and the one set of metrics, by Powertools, which reads its own settings from the environment.

Log lines are events with constant names and identifiers. Nothing personal and nothing secret is logged: no body, e-mail
address, barcode, token, state, key, or URL with a query; and no text of an exception, because it may hold any of these.
"""

import logging
from datetime import UTC, datetime
from typing import Any

import msgspec
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

MOST_PLACES = 40  # of a failure's stack, so that a log line stays readable

logger = Logger()
logger.remove_keys(["location", "sampling_rate"])
metrics = Metrics()
_counted: dict[str, dict[str, Any]] = {}
_stdlib_logger = logging.getLogger(logger.service)  # Powertools' logger in the standard library's terms


def begin(request_id: str, function_request_id: str) -> None:
    """Puts the ids of a request on every line until the next one begins."""
    logger.append_keys(correlation_id=request_id, function_request_id=function_request_id)


def log(level: int, event: str, **fields: object) -> None:
    """Writes a line for `event`, a constant name, with identifiers and counts.

    Level and keys are Powertools'; the line is written here, for a third of what the way through `logging` costs each call.
    """
    if _stdlib_logger.isEnabledFor(level):
        now = datetime.now(UTC)
        keys = logger.get_current_keys()
        _write({**keys, "level": logging.getLevelName(level), "message": event, "timestamp": now, **fields})


def log_with_metrics(level: int, event: str, **fields: object) -> None:
    """The same, with all that was counted since the last time, in CloudWatch's embedded metric format: one line for both.

    Metrics are written whatever the log level is.
    """
    if _counted:
        embedded = metrics.serialize_metric_set(_counted)
        _counted.clear()
        if not _stdlib_logger.isEnabledFor(level):
            _write(embedded)
        fields |= embedded
    log(level, event, **fields)


def count(name: str, number: int = 1) -> None:
    """Adds `number` to the metric `name`."""
    measure(name, number, MetricUnit.Count)


def measure(name: str, value: float, unit: MetricUnit) -> None:
    """Adds a value of the metric `name`. Powertools takes the set as a whole: adding to its own costs twenty times as much."""
    known = _counted.setdefault(name, {"Unit": unit.value, "StorageResolution": 60, "Value": []})
    known["Value"].append(float(value))


def _write(line: object) -> None:
    print(msgspec.json.encode(line).decode(), flush=True)  # noqa: T201 - what Lambda takes for a log is standard output


def describe(error: BaseException) -> dict[str, list[str]]:
    """What may be logged of an exception: the types of it and its causes, and the places that they passed through."""
    types: list[str] = []
    places: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(types) < MOST_PLACES:
        types.append(type(cause).__name__)
        trace = cause.__traceback__
        while trace is not None and len(places) < MOST_PLACES:
            file = trace.tb_frame.f_code.co_filename.rpartition("/")[2]
            places.append(f"{file}:{trace.tb_lineno}")
            trace = trace.tb_next
        cause = cause.__cause__ or cause.__context__
    return {"errors": types, "places": places}
