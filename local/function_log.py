"""Shorten the functions' logs for the terminal: the gateway prints one line per call, so only errors are added."""

import json
import sys
from collections.abc import Mapping
from typing import IO

LEVELS_SHOWN = {"WARNING", "ERROR", "CRITICAL"}


def print_short(log: IO[str], variables: Mapping[str, str]) -> None:
    """Print the lines of a function's `log` in short, until it ends, and close it. Lines that aren't JSON are printed unchanged."""
    with log:
        for line in log:
            text = shorten(line, variables)
            if text:
                print(text, file=sys.stderr, flush=True)


def shorten(line: str, variables: Mapping[str, str]) -> str:
    """Return the text for the terminal; it is empty for a line without a warning, an error or a problem."""
    try:
        entry = json.loads(line)
    except ValueError:
        return line.rstrip("\n")
    if not isinstance(entry, dict) or "level" not in entry:
        return line.rstrip("\n") if not isinstance(entry, dict) or "_aws" not in entry else ""
    code = entry.get("code")
    if entry["level"] not in LEVELS_SHOWN and not code:
        return ""
    parts = [f"  {code or entry.get('message')}"]
    if code == "redirect_uri_not_allowed":
        parts.append(f"allowed, compared exactly: {variables.get('ALLOWED_REDIRECT_URIS')}")
    if entry.get("errors"):
        parts.append(str(entry["errors"]))
    return ": ".join(parts)
