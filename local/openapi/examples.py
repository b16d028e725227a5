"""Which answers are the examples, and how each comes about.

An example's name is an operation's own, a problem's code, or the two with a dot between where an operation has one of its own.
"""

from datetime import timedelta
from unittest.mock import patch

from local.openapi.service import NOW, Answer, Service, service

NO_TIME_SECONDS = 0.1
ELSEWHERE = "redirectUri=https%3A%2F%2Felsewhere.example.com%2F"


def make_examples() -> dict[str, Answer]:
    """All examples by name."""
    with service() as rosies:
        examples = _accounts(rosies) | _refusals(rosies) | _notices(rosies) | _linking(rosies)
    with service() as failing:
        examples |= _failures(failing)
    with service(has_aws=False) as bare:
        examples["secret_unavailable"] = bare.ask("accounts-get")
        examples["storage_unavailable"] = bare.ask("links-get")
        examples["getLinkCallback.unavailable"] = bare.ask("link-callback-get")
    return examples


def _accounts(rosies: Service) -> dict[str, Answer]:
    return {
        "getAccounts": rosies.ask("accounts-get"),
        "getAccounts.jsonLd": rosies.ask("accounts-get", headers={"accept": "application/ld+json"}),
        "getAccounts.gzip": rosies.ask("accounts-get", headers={"accept-encoding": "gzip"}),  # for its headers alone
        "getHealth": rosies.ask("health-get"),
    }


def _refusals(rosies: Service) -> dict[str, Answer]:
    return {
        "invalid_request": rosies.ask("records-delete", path={"customerIdentifier": "a b"}),
        "getAccounts.invalid_request": rosies.ask("accounts-get", rawQueryString="status=maybe"),
        "listLinks.invalid_request": rosies.ask("links-get", rawQueryString="limit=0"),
        "listNotices.invalid_request": rosies.ask("notices-get", rawQueryString="cursor=x"),
        "receiveIminNotice.invalid_request": rosies.ask("webhook-post", body="{}"),
        "redirect_uri_not_allowed": rosies.ask("accounts-get", rawQueryString=ELSEWHERE),
        "unauthenticated": rosies.ask("accounts-get", authorizer=None),
        "receiveIminNotice.unauthenticated": rosies.ask("webhook-post", headers={"x-api-key": "wrong"}),
        "forbidden": rosies.ask("accounts-get", path={"customerIdentifier": "someone-else"}),
        "link_not_found": rosies.ask("link-get"),
        "payload_too_large": rosies.ask("webhook-post", body="x" * 70_000),
        "getLinkCallback.invalid": rosies.ask("link-callback-get"),
    }


def _linking(rosies: Service) -> dict[str, Answer]:
    """Let a customer get a link, connect an account within three minutes, and return."""
    listed = rosies.ask("accounts-get-with-link")
    state = rosies.state()
    connected_at = NOW + timedelta(minutes=3)
    rosies.connected["Everyone Active"] = f"{connected_at:%Y-%m-%dT%H:%M:%SZ}"
    rosies.now = connected_at.timestamp() + 7
    examples = {
        "getAccounts.link": listed,
        "getLinkCallback": rosies.ask("link-callback-get", path={"state": state}),
        "getLink": rosies.ask("link-get", path={"linkId": listed.content["link"]["id"]}),
        "listLinks": rosies.ask("links-get"),
    }
    with patch("seller_accounts.links.confirmation.settle", side_effect=RuntimeError):
        examples["getLinkCallback.failed"] = rosies.ask("link-callback-get", path={"state": state})
    rosies.now += timedelta(days=2).total_seconds()
    examples["getLinkCallback.expired"] = rosies.ask("link-callback-get", path={"state": state})
    return examples


def _notices(rosies: Service) -> dict[str, Answer]:
    return {
        "receiveIminNotice": rosies.ask("webhook-post"),
        "listNotices": rosies.ask("notices-get"),
        "eraseRecords": rosies.ask("records-delete"),
    }


def _failures(failing: Service) -> dict[str, Answer]:
    """Collect the failures of imin and of this service."""
    examples = {"upstream_timeout": failing.ask("accounts-get", timeout_seconds=NO_TIME_SECONDS)}
    with patch("seller_accounts.routes.accounts.reshape", side_effect=RuntimeError):
        examples["internal_error"] = failing.ask("accounts-get")
    for code, answer in {
        "customer_not_found": (404, {}, ""),
        "upstream_rejected_key": (401, {}, ""),
        "upstream_invalid_response": (200, {}, "<html>"),
        "upstream_unavailable": (429, {"Retry-After": "30"}, ""),
    }.items():
        failing.imin = lambda answer=answer: answer  # type: ignore[misc]
        examples[code] = failing.ask("accounts-get")
    return examples
