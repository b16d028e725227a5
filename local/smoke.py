"""Check a deployed API from outside: `python -m local.smoke URL`. It needs no token, no key and no other package.

A deployment can succeed without the routes that have an authorizer, so a call without a token must be 401 and not 404.
"""

import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

TIMEOUT_SECONDS = 10
WAIT_SECONDS = 3
MAX_SECONDS = 90  # a new domain, or a stage that API Gateway has just deployed, may take a while


@dataclass(frozen=True)
class Check:
    """A call, the status that it must get, and a hint for any other."""

    method: str
    path: str
    status: int
    hint: str


CHECKS = (
    Check("GET", "/v1/health", 200, "the API, its domain or the accounts function can't be reached"),
    Check("GET", "/v1/customers/me/accounts", 401, "404: API Gateway left out the routes with the authorizer; see docs/deploy.md"),
    Check("GET", "/v1/link-callbacks/smoke-test", 400, "503: the function can't read the secret LinkStateSecret"),
    Check("POST", "/v1/webhooks/imin", 401, "503: the function can't read the secret IminWebhookSecret"),
)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirects)


def fetch_status(method: str, url: str) -> int | str:
    """Call `url` and return the status, or the reason why there is none."""
    body = b"{}" if method == "POST" else None
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method=method)  # noqa: S310 - an argument of the command
    try:
        with _OPENER.open(request, timeout=TIMEOUT_SECONDS) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError as error:
        return str(error)


def run(url: str, max_seconds: float = MAX_SECONDS) -> list[str]:
    """Make all calls, and repeat them while one fails and time is left. Return the failures."""
    deadline = time.monotonic() + max_seconds
    while True:
        outcomes = [(check, fetch_status(check.method, url.rstrip("/") + check.path)) for check in CHECKS]
        failed = [
            f"{check.method} {check.path}: {outcome}, expected {check.status} ({check.hint})"
            for check, outcome in outcomes
            if outcome != check.status
        ]
        if not failed or time.monotonic() + WAIT_SECONDS > deadline:
            return failed
        time.sleep(WAIT_SECONDS)


def main(url: str) -> None:
    """Exit with 1 and the failures, if there are any."""
    failed = run(url)
    if failed:
        sys.exit("\n".join(["the API doesn't respond as it should:", *failed]))
    print(f"{url} responds as it should ({len(CHECKS)} calls)")


if __name__ == "__main__":
    main(*sys.argv[1:])
