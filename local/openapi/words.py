"""Reads `words.yaml`, and sees to it that there are words for everything that there is, and for nothing else."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

Json = dict[str, Any]


class WordsError(Exception):
    """Something is not described, or what is described is not there; the message names it."""


def read_words() -> Json:
    """All of `words.yaml`."""
    words: Json = yaml.safe_load((Path(__file__).parent / "words.yaml").read_text())
    return words


def compare(what: str, there: Iterable[str], described: Iterable[str]) -> None:
    """Raise `WordsError` unless names and descriptions match."""
    missing, needless = set(there) - set(described), set(described) - set(there)
    if missing:
        raise WordsError(f"{what}: words.yaml has no words for {', '.join(sorted(missing))}")
    if needless:
        raise WordsError(f"{what}: words.yaml describes what is not there: {', '.join(sorted(needless))}")
