"""Checks before the local stack starts: ports in use, and misspelt names of settings."""

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
                raise OSError(f"{name} and {used[port]} are both {port}; each needs its own port")
            used[port] = name
            try:
                sockets.enter_context(socket.create_server((host, port)))
            except OSError as error:
                raise OSError(
                    f"{name}: port {port} {_reason(error)}; choose another, e.g. {name}={port + 100} make start"
                ) from error


def _reason(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "is in use, most likely by another `make start` that is still running"
    if error.errno == errno.EACCES:
        return "is not permitted: ports below 1024 are for administrators"
    return f"can't be opened ({error.strerror})"


def misspelt_settings(environment: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """Return the names in `environment` that resemble a `known` setting, each with that setting."""
    names = sorted({*known, *STACK_SETTINGS})
    suggestions = {}
    for name in environment:
        if name in names or name.startswith(OTHERS_PREFIXES):
            continue
        close_names = difflib.get_close_matches(name.upper().replace("-", "_"), names, 1, MIN_SIMILARITY)
        if close_names:
            suggestions[name] = close_names[0]
    return suggestions
