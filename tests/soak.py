"""Mixed traffic through the local stack while imin and AWS fail intermittently; finally each acknowledged write is read back.

`test_soak` runs a short version, `soak_cli` a long one. All of it stays on loopback, and it stops by itself: so many
workers, each of which pauses after each call.
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
from tests.aws import client_of, records_of
from tests.intermittent_faults import AWS_FAULTS, IMIN_FAULTS, FaultSchedule, Imin, make_aws_with_faults, redirect_uri_in, serving
from tests.kills import check_record
from tests.stack import Stack, running

WORKERS = 4
PAUSE_SECONDS = 0.05
PERIOD_SECONDS = 0.8
CALLS_OF_A_CUSTOMER = 60
READS = 3  # of a link in the end
ANSWERS = {200, 204, 303, 502, 503, 504}
WEBHOOK_KEY = "local-webhook-key"


@dataclass
class Known:
    """The records that a customer must have: everything acknowledged since the last erasure."""

    name: str
    token: str
    links: dict[str, set[str]] = field(default_factory=dict)
    """The queries of the callbacks of each link."""
    issued: set[str] = field(default_factory=set)
    """Links that were handed out."""
    notices: int = 0
    doubtful_notices: int = 0
    is_erasing: bool = False
    """Whether an erasure was not acknowledged: it may have done all, a part, or nothing."""


class Soak:
    """One run. `counts` is what came of it; `unexpected` what should not have."""

    def __init__(self, stack: Stack, imin: Imin, aws_url: str, seed: int) -> None:
        self._stack = stack
        self._dynamodb = client_of(aws_url)
        self._imin = imin
        self._seed = seed
        self.counts: Counter[str] = Counter()
        self.unexpected: list[str] = []
        self.customers: list[Known] = []
        self._lock = threading.Lock()

    def work(self, number: int, until: float) -> None:
        """One worker, with customers of its own, one after the other."""
        chance = random.Random(f"{self._seed} {number}")  # noqa: S311 - the same choices each time
        pause = threading.Event()
        calls = 0
        while time.monotonic() < until:
            if calls % CALLS_OF_A_CUSTOMER == 0:
                customer = self._new_customer(f"soak-{number}-{calls}")
                paths: list[str] = []
            calls += 1
            self._step(customer, paths, chance)
            pause.wait(PAUSE_SECONDS)

    def _new_customer(self, name: str) -> Known:
        customer = Known(name, self._stack.token(name))
        with self._lock:
            self.customers.append(customer)
        return customer

    def _step(self, customer: Known, paths: list[str], chance: random.Random) -> None:
        step = chance.choices(("accounts", "begin", "callback", "notice", "read", "erase"), (3, 3, 4, 3, 4, 0.4))[0]
        if customer.is_erasing or step == "erase":
            self.erase(customer)
        elif step == "accounts":
            self._get(customer, "accounts")
        elif step == "begin":
            self._begin(customer, paths)
        elif step == "callback" and paths:
            self._come_back(customer, chance.choice(paths[-3:]), f"number={chance.getrandbits(32)}")
        elif step == "notice":
            self._notify(customer)
        else:
            self._read(customer, chance)

    def _begin(self, customer: Known, paths: list[str]) -> None:
        answer = self._get(customer, "accounts", redirectUri="brokerapp://linked")
        if answer is not None:
            customer.issued.add(answer["link"]["id"])
            self._count("links handed out")
            url = answer["accounts"][-1]["connect"]["existingAccountUrl"]
            paths.append(redirect_uri_in(url).removeprefix(self._stack.url))
            self._imin.connect(customer.name, f"seller-{len(paths)}")

    def _come_back(self, customer: Known, path: str, query: str) -> None:
        response = self._send("callback", "GET", f"{path}?{query}")
        if response.status_code == 303:
            link_id = parse_qs(urlsplit(response.headers["Location"]).query)["linkId"][0]
            customer.links.setdefault(link_id, set()).add(query)
            self._count("acknowledged callbacks")

    def _notify(self, customer: Known) -> None:
        body = {"identifier": customer.name, "@type": "CustomerAccount"}
        response = self._send("notice", "POST", "/v1/webhooks/imin", json=body, headers={"X-Api-Key": WEBHOOK_KEY})
        if response.status_code == 204:
            customer.notices += 1
            self._count("acknowledged notices")
        else:
            customer.doubtful_notices += 1

    def _read(self, customer: Known, chance: random.Random) -> None:
        link_id = chance.choice([*customer.links, ""])
        answer = self._get(customer, f"links/{link_id}" if link_id else chance.choice(("links?limit=100", "notices")))
        if answer is not None and link_id:
            self._expect(answer["callbackCount"] >= len(customer.links[link_id]), f"{link_id} has too few callbacks")

    def erase(self, customer: Known) -> None:
        """Erase the customer's records; acknowledged writes are counted from then on."""
        customer.is_erasing = self._send("erasure", "DELETE", self._path(customer, "records"), customer).status_code != 204
        if not customer.is_erasing:
            customer.links.clear()
            customer.issued.clear()
            customer.notices = customer.doubtful_notices = 0
            self._count("acknowledged erasures")

    def check(self) -> None:
        """Check that everything acknowledged is stored, after all faults are over."""
        for customer in self.customers:
            if customer.is_erasing:
                self.erase(customer)
            for link_id in customer.links:
                self._settle(customer, link_id)
            self._check_table(customer)

    def _settle(self, customer: Known, link_id: str) -> None:
        """Read a link until it is settled: on a busy machine a call may be too late, as an app must expect."""
        for read in range(READS):
            answer = self._get(customer, f"links/{link_id}")
            if answer is not None and answer["status"] != "received":
                self._count("settled")
                self._count("settled later", min(read, 1))
                return
        self._expect(False, f"{link_id} is not settled: {answer}")

    def _check_table(self, customer: Known) -> None:
        items = {item["sk"]["S"]: item for item in records_of(self._dynamodb, customer.name)}
        for link_id, queries in customer.links.items():
            item = items.get(f"LINK#{link_id}")
            self._expect(item is not None, f"{link_id} is lost")
            if item:
                check_record(item)
                kept = {each["M"]["query"]["S"] for each in item["callbacks"]["L"]}
                is_whole = queries <= kept or (len(kept) == 20 and int(item["callbackCount"]["N"]) >= len(queries))
                self._expect(is_whole, f"{link_id} lacks callbacks")
                self._count("callbacks found", len(queries))
        for link_id in customer.issued:
            is_stored = bool({f"ISSUED#{link_id}", f"LINK#{link_id}"} & items.keys())
            self._expect(is_stored or link_id in self._not_stored, f"{link_id} was handed out and is not on record")
            self._count("links handed out and found", is_stored)
        notices = sum(key.startswith("NOTICE#") for key in items)
        self._expect(customer.notices <= notices <= customer.notices + customer.doubtful_notices, f"{customer.name}'s notices")
        self._count("notices found", min(notices, customer.notices))
        self._count("callbacks to be found", sum(map(len, customer.links.values())))
        self._count("notices to be found", customer.notices)

    @functools.cached_property
    def _not_stored(self) -> set[str]:
        """Return the links that the service says it handed out without storing them, while DynamoDB failed."""
        lines = [json.loads(line) for line in self._stack.log.read_text().splitlines() if '"link_not_stored"' in line]
        return {line["link_id"] for line in lines}

    def _get(self, customer: Known, what: str, **params: str) -> Any:
        """Return the JSON of a successful response, or None."""
        response = self._send(what.partition("/")[0].partition("?")[0], "GET", self._path(customer, what), customer, params=params)
        return response.json() if response.status_code == 200 else None

    def _path(self, customer: Known, what: str) -> str:
        return f"/v1/customers/{customer.name}/{what}"

    def _send(self, what: str, method: str, path: str, customer: Known | None = None, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {customer.token}"} if customer else {}
        response = self._stack.send(method, path, **{"headers": headers, **options})
        self._count("calls")
        self._count(f"{what} {response.status_code}")
        self._expect(response.status_code in ANSWERS, f"{method} {what}: {response.status_code}")
        return response

    def _count(self, name: str, number: int = 1) -> None:
        with self._lock:
            self.counts[name] += number

    def _expect(self, is_so: bool, otherwise: str) -> None:
        if not is_so:
            with self._lock:
                self.unexpected.append(otherwise)


def soak(seconds: float, seed: int, folder: Path) -> tuple[Counter[str], list[str]]:
    """Return the counts of `seconds` of traffic, and all unexpected responses."""
    chance = random.Random(seed)  # noqa: S311 - the same choices each time
    schedules = {
        "imin": FaultSchedule(IMIN_FAULTS, PERIOD_SECONDS, chance),
        "AWS": FaultSchedule(AWS_FAULTS, PERIOD_SECONDS * 0.7, chance),
    }
    imin = Imin(schedules["imin"])
    with (
        serving(make_aws_with_faults(aws.make_aws(), schedules["AWS"])) as aws_url,
        serving(imin) as imin_url,
        running(folder, AWS_ENDPOINT_URL=aws_url, IMIN_BASE_URL=imin_url) as stack,
    ):
        run = Soak(stack, imin, aws_url, seed)
        for schedule in schedules.values():
            schedule.begin()
        until = time.monotonic() + seconds
        with ThreadPoolExecutor(WORKERS) as pool:
            workers = [pool.submit(run.work, number, until) for number in range(WORKERS)]
            schedules["AWS"].ended.wait(seconds)
            for schedule in schedules.values():
                schedule.end()  # releases hanging calls
        for worker in workers:
            worker.result()
        run.check()
    for name, schedule in schedules.items():
        run.counts.update({f"{name} {fault}": number for fault, number in schedule.met.items()})
    return run.counts, run.unexpected
