"""The one logger and the one set of metrics, by Powertools, which reads its own settings from the environment.

Log lines are events with constant names and identifiers. Nothing personal and nothing secret is logged: no body, e-mail
address, barcode, token, state, key, or URL with a query; and no text of an exception, because it may hold any of these.
"""

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

MOST_PLACES = 40  # of a failure's stack, so that a log line stays readable

logger = Logger()
metrics = Metrics()


def count(name: str, number: int = 1) -> None:
    """Adds `number` to the metric `name`."""
    metrics.add_metric(name, MetricUnit.Count, number)


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
