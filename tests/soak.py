"""Mixed traffic through the local stack while imin and AWS fail intermittently; at the end, every acknowledged write is read back.

`test_soak` runs a short version, `soak_cli` a long one. All traffic stays on loopback. A fixed number of workers, which pause
between calls, limits the load.
"""

import functools
import json
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from local import aws
from tests.aws import make_client, read_records
from tests.intermittent_faults import AWS_FAULTS, IMIN_FAULTS, FaultSchedule, Imin, extract_redirect_uri, inject_faults, serve_wsgi
from tests.kills import check_record
from tests.stack import Stack, start_stack

WORKERS = 4
PAUSE_SECONDS = 0.05
PERIOD_SECONDS = 0.8
CALLS_PER_CUSTOMER = 60
MAX_SETTLE_READS = 3  # a link must be settled after this many reads at the end
EXPECTED_STATUSES = {200, 204, 303, 502, 503, 504}
WEBHOOK_KEY = "local-webhook-key"


@dataclass
class ExpectedRecords:
    """The records that a customer must have: those acknowledged since the last erasure."""

    name: str
    token: str
    links: dict[str, set[str]] = field(default_factory=dict)
    """Queries of the acknowledged callbacks, by link id."""
    issued: set[str] = field(default_factory=set)
    """Ids of the links returned to the app."""
    notices: int = 0
    unacknowledged_notices: int = 0
    """Notices that may or may not be stored, because the response was an error."""
    is_erasure_pending: bool = False
    """Whether the last erasure was not acknowledged: any part of it may have been done."""


class Soak:
    """One soak run. `counts` is its statistics; `unexpected` lists unexpected responses and records."""

    def __init__(self, stack: Stack, imin: Imin, aws_url: str, seed: int) -> None:
        self._stack = stack
        self._dynamodb = make_client(aws_url)
        self._imin = imin
        self._seed = seed
        self.counts: Counter[str] = Counter()
        self.unexpected: list[str] = []
        self.customers: list[ExpectedRecords] = []
        self._lock = threading.Lock()

    def work(self, number: int, until: float) -> None:
        """Run one worker until the given time, with one new customer after another."""
        rng = random.Random(f"{self._seed} {number}")  # noqa: S311 - seeded, so that runs are repeatable
        pause = threading.Event()
        calls = 0
        while time.monotonic() < until:
            if calls % CALLS_PER_CUSTOMER == 0:
                customer = self._new_customer(f"soak-{number}-{calls}")
                paths: list[str] = []
            calls += 1
            self._step(customer, paths, rng)
            pause.wait(PAUSE_SECONDS)

    def _new_customer(self, name: str) -> ExpectedRecords:
        customer = ExpectedRecords(name, self._stack.token(name))
        with self._lock:
            self.customers.append(customer)
        return customer

    def _step(self, customer: ExpectedRecords, paths: list[str], rng: random.Random) -> None:
        step = rng.choices(("accounts", "link", "callback", "notice", "read", "erase"), (3, 3, 4, 3, 4, 0.4))[0]
        if customer.is_erasure_pending or step == "erase":
            self.erase(customer)
        elif step == "accounts":
            self._get(customer, "accounts")
        elif step == "link":
            self._get_link(customer, paths)
        elif step == "callback" and paths:
            self._open_callback(customer, rng.choice(paths[-3:]), f"number={rng.getrandbits(32)}")
        elif step == "notice":
            self._notify(customer)
        else:
            self._read(customer, rng)

    def _get_link(self, customer: ExpectedRecords, paths: list[str]) -> None:
        body = self._get(customer, "accounts", redirectUri="brokerapp://linked")
        if body is not None:
            customer.issued.add(body["link"]["id"])
            self._count("issued links")
            url = body["accounts"][-1]["connect"]["existingAccountUrl"]
            paths.append(extract_redirect_uri(url).removeprefix(self._stack.url))
            self._imin.connect(customer.name, f"seller-{len(paths)}")

    def _open_callback(self, customer: ExpectedRecords, path: str, query: str) -> None:
        response = self._send("callback", "GET", f"{path}?{query}")
        if response.status_code == 303:
            link_id = parse_qs(urlsplit(response.headers["Location"]).query)["linkId"][0]
            customer.links.setdefault(link_id, set()).add(query)
            self._count("acknowledged callbacks")

    def _notify(self, customer: ExpectedRecords) -> None:
        body = {"identifier": customer.name, "@type": "CustomerAccount"}
        response = self._send("notice", "POST", "/v1/webhooks/imin", json=body, headers={"X-Api-Key": WEBHOOK_KEY})
        if response.status_code == 204:
            customer.notices += 1
            self._count("acknowledged notices")
        else:
            customer.unacknowledged_notices += 1

    def _read(self, customer: ExpectedRecords, rng: random.Random) -> None:
        link_id = rng.choice([*customer.links, ""])
        body = self._get(customer, f"links/{link_id}" if link_id else rng.choice(("links?limit=100", "notices")))
        if body is not None and link_id:
            self._expect(body["callbackCount"] >= len(customer.links[link_id]), f"{link_id} has too few callbacks")

    def erase(self, customer: ExpectedRecords) -> None:
        """Erase the customer's records. If the erasure is acknowledged, no earlier record is expected any longer."""
        customer.is_erasure_pending = self._send("erasure", "DELETE", self._path(customer, "records"), customer).status_code != 204
        if not customer.is_erasure_pending:
            customer.links.clear()
            customer.issued.clear()
            customer.notices = customer.unacknowledged_notices = 0
            self._count("acknowledged erasures")

    def check(self) -> None:
        """Check, when all faults are over, that every acknowledged write is stored."""
        for customer in self.customers:
            if customer.is_erasure_pending:
                self.erase(customer)
            for link_id in customer.links:
                self._settle(customer, link_id)
            self._check_table(customer)

    def _settle(self, customer: ExpectedRecords, link_id: str) -> None:
        """Read a link until it is settled. On a busy machine the first reads may time out, which an app must expect, too."""
        for read in range(MAX_SETTLE_READS):
            body = self._get(customer, f"links/{link_id}")
            if body is not None and body["status"] != "received":
                self._count("settled")
                self._count("settled later", min(read, 1))
                return
        self._expect(False, f"{link_id} is not settled: {body}")

    def _check_table(self, customer: ExpectedRecords) -> None:
        items = {item["sk"]["S"]: item for item in read_records(self._dynamodb, customer.name)}
        for link_id, queries in customer.links.items():
            item = items.get(f"LINK#{link_id}")
            self._expect(item is not None, f"{link_id} is lost")
            if item:
                check_record(item)
                stored = {callback["M"]["query"]["S"] for callback in item["callbacks"]["L"]}
                is_complete = queries <= stored or (len(stored) == 20 and int(item["callbackCount"]["N"]) >= len(queries))
                self._expect(is_complete, f"{link_id} lacks callbacks")
                self._count("expected callbacks found", len(queries))
        for link_id in customer.issued:
            is_stored = bool({f"ISSUED#{link_id}", f"LINK#{link_id}"} & items.keys())
            self._expect(is_stored or link_id in self._not_stored, f"{link_id} was issued but is not stored")
            self._count("issued links found", is_stored)
        notices = sum(key.startswith("NOTICE#") for key in items)
        self._expect(
            customer.notices <= notices <= customer.notices + customer.unacknowledged_notices,
            f"{customer.name} has {notices} notices",
        )
        self._count("expected notices found", min(notices, customer.notices))
        self._count("expected callbacks", sum(map(len, customer.links.values())))
        self._count("expected notices", customer.notices)

    @functools.cached_property
    def _not_stored(self) -> set[str]:
        """Return the ids of links that, according to the log, were issued but not stored because DynamoDB failed."""
        lines = [json.loads(line) for line in self._stack.log.read_text().splitlines() if '"link_not_stored"' in line]
        return {line["link_id"] for line in lines}

    def _get(self, customer: ExpectedRecords, resource: str, **params: str) -> Any:
        """Return the JSON of a successful response, or None."""
        response = self._send(
            resource.partition("/")[0].partition("?")[0], "GET", self._path(customer, resource), customer, params=params
        )
        return response.json() if response.status_code == 200 else None

    def _path(self, customer: ExpectedRecords, resource: str) -> str:
        return f"/v1/customers/{customer.name}/{resource}"

    def _send(self, operation: str, method: str, path: str, customer: ExpectedRecords | None = None, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {customer.token}"} if customer else {}
        response = self._stack.send(method, path, **{"headers": headers, **options})
        self._count("calls")
        self._count(f"{operation} {response.status_code}")
        self._expect(response.status_code in EXPECTED_STATUSES, f"{method} {operation}: {response.status_code}")
        return response

    def _count(self, name: str, number: int = 1) -> None:
        with self._lock:
            self.counts[name] += number

    def _expect(self, condition: bool, message: str) -> None:
        if not condition:
            with self._lock:
                self.unexpected.append(message)


def soak(seconds: float, seed: int, folder: Path) -> tuple[Counter[str], list[str]]:
    """Run mixed traffic for some seconds; return its statistics, and unexpected responses and records."""
    rng = random.Random(seed)  # noqa: S311 - seeded, so that runs are repeatable
    schedules = {
        "imin": FaultSchedule(IMIN_FAULTS, PERIOD_SECONDS, rng),
        "AWS": FaultSchedule(AWS_FAULTS, PERIOD_SECONDS * 0.7, rng),
    }
    imin = Imin(schedules["imin"])
    with (
        serve_wsgi(inject_faults(aws.make_aws(), schedules["AWS"])) as aws_url,
        serve_wsgi(imin) as imin_url,
        start_stack(folder, AWS_ENDPOINT_URL=aws_url, IMIN_BASE_URL=imin_url) as stack,
    ):
        run = Soak(stack, imin, aws_url, seed)
        for schedule in schedules.values():
            schedule.start()
        until = time.monotonic() + seconds
        with ThreadPoolExecutor(WORKERS) as pool:
            workers = [pool.submit(run.work, number, until) for number in range(WORKERS)]
            schedules["AWS"].stopped.wait(seconds)
            for schedule in schedules.values():
                schedule.stop()
        for worker in workers:
            worker.result()
        run.check()
    for name, schedule in schedules.items():
        run.counts.update({f"{name} {fault}": count for fault, count in schedule.injected.items()})
    return run.counts, run.unexpected
