"""Measure the built functions in Lambda's runtime, emulated: the cold start of each, and a warm call of accounts.

They are compared with two other functions in the same runtime: a typical one, written as is common and left without bytecode, as
`sam build` does; and a minimal one with the same clients and bytecode, but nothing else. Costs are the CPU time of the whole
process, including the bare runtime. imin and AWS are one server on loopback, over TLS.
"""

import functools
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack

from bench import server
from bench.documents import make_event
from bench.emulator import Emulator, Function, Invocation, emulated
from bench.environment import function_variables
from bench.figures import Figure, compare
from bench.stacks import Folders, lay_out
from bench.timing import alternate
from local.template import Template

SELLERS = 20
EVENT = json.dumps(make_event()).encode()  # every function except accounts rejects it, after its init phase
ACCOUNTS = "accounts.handler"
TYPICAL_GOAL = 0.25
MINIMAL_GOAL = 1.15
COLD_ROUNDS = 11
WARM_ROUNDS = 31
WARM_CALLS = 10


def measure() -> Iterator[Figure]:
    """Measure the cold starts of all functions, and warm calls of accounts."""
    with server.running_with_tls(SELLERS) as (url, root), lay_out(root) as folders:
        for declared in Template(folders.built / "template.yaml").functions():
            variables = function_variables(declared, url)
            service = Function(declared.handler, declared.folder, variables)
            typical = Function("typical.handler", folders.typical, variables)
            minimal = Function("minimal.handler", folders.minimal, variables)
            yield from _cold_starts(service, typical, minimal, folders)
            if service.handler == ACCOUNTS:
                yield from _warm_calls(service, minimal, folders)


def _cold_starts(service: Function, typical: Function, minimal: Function, folders: Folders) -> Iterator[Figure]:
    """Measure until the client requests its first event; for accounts, also until it has sent its first response."""
    cold_starts = [functools.partial(_cold_start, function, folders) for function in (service, typical, minimal)]
    alternate(cold_starts, 1)
    rounds = alternate(cold_starts, COLD_ROUNDS)
    name = service.handler.partition(".")[0]
    yield from _compare_with_both(f"init of {name}", [[start.ready_ms for start in starts] for starts in rounds])
    if service.handler == ACCOUNTS:
        first_responses = [[_require_success(start).done_ms for start in starts] for starts in rounds]
        yield from _compare_with_both(f"first response of {name}", first_responses)


def _compare_with_both(name: str, rounds: list[list[float]]) -> Iterator[Figure]:
    yield compare(f"{name}, vs typical", "ms", [(service, typical) for service, typical, _ in rounds], TYPICAL_GOAL)
    yield compare(f"{name}, vs minimal", "ms", [(service, minimal) for service, _, minimal in rounds], MINIMAL_GOAL)


def _cold_start(function: Function, folders: Folders) -> Invocation:
    with emulated(function, folders.runtime) as emulator:
        return emulator.invoke(EVENT)


def _require_success(invocation: Invocation) -> Invocation:
    """Return the invocation. Raises `ValueError` unless its status is 200."""
    if json.loads(invocation.response).get("statusCode") != 200:
        raise ValueError("the function must respond with status 200")
    return invocation


def _warm_calls(service: Function, minimal: Function, folders: Folders) -> Iterator[Figure]:
    """Measure calls with the key cached and connections open. Wall time includes the emulator and the server."""
    with ExitStack() as running:
        emulators = [running.enter_context(emulated(function, folders.runtime)) for function in (service, minimal)]
        rounds = alternate([functools.partial(_warm_call, emulator) for emulator in emulators], WARM_ROUNDS)
    for index, clock in enumerate(("CPU", "wall")):
        pairs = [(service_ms[index], minimal_ms[index]) for service_ms, minimal_ms in rounds]
        yield compare(f"warm call of accounts, {SELLERS} sellers, {clock}", "ms", pairs)


def _warm_call(emulator: Emulator) -> tuple[float, float]:
    """Return the mean CPU time and wall time of some calls, in milliseconds."""
    _require_success(emulator.invoke(EVENT))
    start = time.perf_counter()
    calls = [_require_success(emulator.invoke(EVENT)) for _ in range(WARM_CALLS)]
    wall_seconds = time.perf_counter() - start
    return (calls[-1].done_ms - calls[0].ready_ms) / WARM_CALLS, wall_seconds / WARM_CALLS * 1000
