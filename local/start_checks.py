"""Checks before the local stack starts: ports that are taken, and settings whose names are nearly right."""

import contextlib
import difflib
import errno
import socket
from collections.abc import Iterable, Mapping

STACK_SETTINGS = (
    "PORT",
    "AWS_PORT",
    "IMIN_PORT",
    "CONCURRENCY",
    "IMIN_API_KEY",
    "IMIN_WEBHOOK_KEY",
    "AWS_ENDPOINT_URL",
    "LOGS",
    "ISSUER_PORT",
)
OTHERS_PREFIXES = ("AWS_ENDPOINT_URL_", "POWERTOOLS_")  # names that AWS's libraries and Powertools read
MIN_SIMILARITY = 0.85


def check_ports(host: str, ports: Mapping[str, int]) -> None:
    """Raise `OSError` with the name of the first setting in `ports` whose port can't be used, and the likely reason."""
    with contextlib.ExitStack() as sockets:
        used: dict[int, str] = {}
        for name, port in ports.items():
            if port in used:
                raise OSError(f"{name} and {used[port]} are both {port}; each needs a port of its own")
            used[port] = name
            try:
                sockets.enter_context(socket.create_server((host, port)))
            except OSError as error:
                raise OSError(
                    f"{name}: port {port} {_reason(error)}; choose another, e.g. {name}={port + 100} make start"
                ) from error


def _reason(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "is in use, most likely by another `make start` that still runs"
    if error.errno == errno.EACCES:
        return "is not permitted: ports below 1024 are for administrators"
    return f"can't be opened ({error.strerror})"


def misspelt_settings(environment: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """Return the names in `environment` that are nearly, but not exactly, a `known` setting, each with that setting."""
    names = sorted({*known, *STACK_SETTINGS})
    found = {}
    for name in environment:
        if name in names or name.startswith(OTHERS_PREFIXES):
            continue
        near = difflib.get_close_matches(name.upper().replace("-", "_"), names, 1, MIN_SIMILARITY)
        if near:
            found[name] = near[0]
    return found
