"""Read `words.yaml`, and check that it describes everything in the API, and nothing else."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

Json = dict[str, Any]


class WordsError(Exception):
    """Something has no description, or a description belongs to nothing; the message names it."""


def read_words() -> Json:
    """Return the contents of `words.yaml`."""
    words: Json = yaml.safe_load((Path(__file__).parent / "words.yaml").read_text())
    return words


def compare(where: str, existing: Iterable[str], described: Iterable[str]) -> None:
    """Raise `WordsError` unless exactly the `existing` names are `described`."""
    missing, unknown = set(existing) - set(described), set(described) - set(existing)
    if missing:
        raise WordsError(f"{where}: words.yaml has no words for {', '.join(sorted(missing))}")
    if unknown:
        raise WordsError(f"{where}: words.yaml describes unknown names: {', '.join(sorted(unknown))}")
