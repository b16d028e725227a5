"""Example responses, and the requests that produce them.

An example is named after its operation, after a problem code, or after both (`operation.code`) if it belongs to one operation only.
"""

from collections.abc import Callable
from datetime import timedelta
from unittest.mock import patch

from local.openapi.service import NOW, ExampleResponse, Service, running_service

TOO_FEW_SECONDS = 0.1
UNKNOWN_REDIRECT_URI = "redirectUri=https%3A%2F%2Felsewhere.example.com%2F"

IminResponse = tuple[int, dict[str, str], str]


def make_examples() -> dict[str, ExampleResponse]:
    """Return all examples by name."""
    with running_service() as service:
        examples = _accounts(service) | _client_errors(service) | _notices(service) | _linking(service)
    with running_service() as service:
        examples |= _failures(service)
    with running_service(has_aws=False) as service:
        examples["secret_unavailable"] = service.send("accounts-get")
        examples["storage_unavailable"] = service.send("links-get")
        examples["getLinkCallback.unavailable"] = service.send("link-callback-get")
    return examples


def _accounts(service: Service) -> dict[str, ExampleResponse]:
    return {
        "getAccounts": service.send("accounts-get"),
        "getAccounts.jsonLd": service.send("accounts-get", headers={"accept": "application/ld+json"}),
        "getAccounts.gzip": service.send("accounts-get", headers={"accept-encoding": "gzip"}),  # only for its headers
        "getHealth": service.send("health-get"),
    }


def _client_errors(service: Service) -> dict[str, ExampleResponse]:
    return {
        "invalid_request": service.send("records-delete", path={"customerIdentifier": "a b"}),
        "getAccounts.invalid_request": service.send("accounts-get", rawQueryString="status=maybe"),
        "listLinks.invalid_request": service.send("links-get", rawQueryString="limit=0"),
        "listNotices.invalid_request": service.send("notices-get", rawQueryString="cursor=x"),
        "receiveIminNotice.invalid_request": service.send("webhook-post", body="{}"),
        "redirect_uri_not_allowed": service.send("accounts-get", rawQueryString=UNKNOWN_REDIRECT_URI),
        "unauthenticated": service.send("accounts-get", authorizer=None),
        "receiveIminNotice.unauthenticated": service.send("webhook-post", headers={"x-api-key": "wrong"}),
        "forbidden": service.send("accounts-get", path={"customerIdentifier": "someone-else"}),
        "link_not_found": service.send("link-get"),
        "payload_too_large": service.send("webhook-post", body="x" * 70_000),
        "getLinkCallback.invalid": service.send("link-callback-get"),
    }


def _linking(service: Service) -> dict[str, ExampleResponse]:
    """Request a link, connect an account three minutes later, and return from imin."""
    accounts = service.send("accounts-get-with-link")
    state = service.state()
    connected_at = NOW + timedelta(minutes=3)
    service.connected["Everyone Active"] = f"{connected_at:%Y-%m-%dT%H:%M:%SZ}"
    service.now = connected_at.timestamp() + 7
    examples = {
        "getAccounts.link": accounts,
        "getLinkCallback": service.send("link-callback-get", path={"state": state}),
        "getLink": service.send("link-get", path={"linkId": accounts.content["link"]["id"]}),
        "listLinks": service.send("links-get"),
    }
    with patch("seller_accounts.links.confirmation.settle", side_effect=RuntimeError):
        examples["getLinkCallback.failed"] = service.send("link-callback-get", path={"state": state})
    service.now += timedelta(days=2).total_seconds()
    examples["getLinkCallback.expired"] = service.send("link-callback-get", path={"state": state})
    return examples


def _notices(service: Service) -> dict[str, ExampleResponse]:
    return {
        "receiveIminNotice": service.send("webhook-post"),
        "listNotices": service.send("notices-get"),
        "eraseRecords": service.send("records-delete"),
    }


def _failures(service: Service) -> dict[str, ExampleResponse]:
    """Return the errors that imin and this service can cause."""
    examples = {"upstream_timeout": service.send("accounts-get", timeout_seconds=TOO_FEW_SECONDS)}
    with patch("seller_accounts.routes.accounts.reshape", side_effect=RuntimeError):
        examples["internal_error"] = service.send("accounts-get")
    imin_responses: dict[str, IminResponse] = {
        "customer_not_found": (404, {}, ""),
        "upstream_rejected_key": (401, {}, ""),
        "upstream_invalid_response": (200, {}, "<html>"),
        "upstream_unavailable": (429, {"Retry-After": "30"}, ""),
    }
    for code, imin_response in imin_responses.items():
        service.imin = _always(imin_response)
        examples[code] = service.send("accounts-get")
    return examples


def _always(response: IminResponse) -> Callable[[], IminResponse]:
    return lambda: response
