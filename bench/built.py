"""What the built functions cost in Lambda's own runtime, emulated: their cold starts, and a warm call of accounts.

They are measured beside two others in the same runtime: the usual one, as this field writes it and `sam build` leaves it, without
bytecode; and the floor, nothing but the clients that ours makes, with bytecode. Costs are CPU time of the whole process, the bare
runtime included. imin and AWS are one server on loopback, by TLS.
"""

import functools
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack

from bench import server
from bench.documents import event
from bench.emulator import Emulator, Function, Invocation, emulated
from bench.environment import variables_of
from bench.figures import Figure, compared
from bench.stacks import Folders, laid_out
from bench.timing import in_turn
from local.template import Template

SELLERS = 20
EVENT = json.dumps(event()).encode()  # every function but accounts rejects it, after its start
ACCOUNTS = "accounts.handler"
USUAL_GOAL = 0.25
FLOOR_GOAL = 1.15
COLD_ROUNDS = 11
WARM_ROUNDS = 31
WARM_CALLS = 10


def measure() -> Iterator[Figure]:
    """Cold starts of all functions, and then warm calls of accounts."""
    with server.running_with_tls(SELLERS) as (url, root), laid_out(root) as folders:
        for declared in Template(folders.built / "template.yaml").functions():
            variables = variables_of(declared, url)
            ours = Function(declared.handler, declared.folder, variables)
            usual = Function("usual.handler", folders.usual, variables)
            floor = Function("floor.handler", folders.floor, variables)
            yield from _cold_starts(ours, usual, floor, folders)
            if ours.handler == ACCOUNTS:
                yield from _warm_calls(ours, floor, folders)


def _cold_starts(ours: Function, usual: Function, floor: Function, folders: Folders) -> Iterator[Figure]:
    """Until the client asks for its first event; of accounts, also until the key is fetched and the first answer is handed over."""
    starts = [functools.partial(_cold_start, each, folders) for each in (ours, usual, floor)]
    in_turn(starts, 1)
    rounds = in_turn(starts, COLD_ROUNDS)
    name = ours.handler.partition(".")[0]
    yield from _beside_both(f"init of {name}", [[start.ready_ms for start in starts] for starts in rounds])
    if ours.handler == ACCOUNTS:
        yield from _beside_both(f"first answer of {name}", [[_answered(start).done_ms for start in starts] for starts in rounds])


def _beside_both(name: str, rounds: list[list[float]]) -> Iterator[Figure]:
    yield compared(f"{name}, beside the usual", "ms", [(ours, usual) for ours, usual, _ in rounds], USUAL_GOAL)
    yield compared(f"{name}, beside the floor", "ms", [(ours, floor) for ours, _, floor in rounds], FLOOR_GOAL)


def _cold_start(function: Function, folders: Folders) -> Invocation:
    with emulated(function, folders.runtime) as emulator:
        return emulator.invoke(EVENT)


def _answered(invocation: Invocation) -> Invocation:
    """Return the invocation. Raises `ValueError` unless its status is 200."""
    if json.loads(invocation.answer).get("statusCode") != 200:
        raise ValueError("the function gives no answer to measure")
    return invocation


def _warm_calls(ours: Function, floor: Function, folders: Folders) -> Iterator[Figure]:
    """With the key known and connections open. By the clock, the emulator's time and imin's are in it."""
    with ExitStack() as running:
        emulators = [running.enter_context(emulated(each, folders.runtime)) for each in (ours, floor)]
        rounds = in_turn([functools.partial(_warm_call, each) for each in emulators], WARM_ROUNDS)
    for number, what in enumerate(("CPU", "clock")):
        pairs = [(ours[number], floor[number]) for ours, floor in rounds]
        yield compared(f"warm call of accounts, {SELLERS} sellers, {what}", "ms", pairs)


def _warm_call(emulator: Emulator) -> tuple[float, float]:
    """Return the mean of some calls, in milliseconds of CPU time and by the clock."""
    _answered(emulator.invoke(EVENT))
    start = time.perf_counter()
    calls = [_answered(emulator.invoke(EVENT)) for _ in range(WARM_CALLS)]
    clock = time.perf_counter() - start
    return (calls[-1].done_ms - calls[0].ready_ms) / WARM_CALLS, clock / WARM_CALLS * 1000
