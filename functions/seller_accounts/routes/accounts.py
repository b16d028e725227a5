"""`GET /v1/customers/{customerIdentifier}/accounts` and `GET /v1/health`.

Calls imin for the customer's accounts with all sellers and returns them in the app's shapes. With a `redirectUri` the response also
has connect URLs, and the link that will record a connection.
"""

import functools
import logging
from collections.abc import Callable, Mapping
from typing import Self

import msgspec

from seller_accounts import settings
from seller_accounts.aws import secret, table
from seller_accounts.http import shapes
from seller_accounts.http.http_api import DeploymentError, Handler, Request, Response, build_handler
from seller_accounts.http.identity import Identity
from seller_accounts.http.problems import Problem
from seller_accounts.http.representation import JSON, JSON_LD, media_type, represent
from seller_accounts.imin.imin_client import MAX_RESPONSE_BYTES, Upstream, upstream_deadline
from seller_accounts.imin.reshape import Reshaped, reshape
from seller_accounts.imin.tolerant_parser import invalid_upstream_response
from seller_accounts.links.link_state import IssuedLink, LinkStates, join_digests
from seller_accounts.links.link_store import LinkStore
from seller_accounts.telemetry import count, exception_fields, log

CACHE_PRIVATE = "private, max-age=0, stale-if-error=86400"
CACHE_NO_STORE = "no-store"  # connect URLs are bearer secrets
STATUSES: Mapping[str, type[shapes.Account]] = {
    "connected": shapes.Connected,
    "not_connected": shapes.NotConnected,
    "unknown": shapes.Unknown,
}
STATUS_METRICS: Mapping[type[shapes.Account], str] = {
    shapes.Connected: "AccountsConnected",
    shapes.NotConnected: "AccountsNotConnected",
    shapes.Unknown: "AccountsUnknown",
}


class Query(msgspec.Struct, frozen=True):
    """The query and `Accept` header of a request."""

    redirect_uri: str | None
    seller_id: str | None
    status: str | None
    media_type: str

    @classmethod
    def from_request(cls, request: Request, redirects: settings.RedirectSettings) -> Self:
        """Read the query. Raises `Problem`: `invalid_request`, `redirect_uri_not_allowed`."""
        query = cls(
            request.query_value("redirectUri"),
            request.query_value("sellerId"),
            request.query_value("status"),
            media_type(request.headers),
        )
        if query.redirect_uri == "" or query.seller_id == "":
            raise Problem("invalid_request", "redirectUri and sellerId must not be empty.")
        if query.status is not None and query.status not in STATUSES:
            raise Problem("invalid_request", f"status must be one of {', '.join(STATUSES)}.")
        if query.media_type == JSON_LD and (query.seller_id or query.status):
            raise Problem("invalid_request", "JSON-LD is passed through unchanged: it can't be filtered by sellerId or status.")
        if query.redirect_uri and not redirects.allows(query.redirect_uri):
            raise Problem("redirect_uri_not_allowed", "The redirectUri is not allowed. It is compared exactly, without its query.")
        return query

    def select(self, accounts: list[shapes.Account]) -> list[shapes.Account]:
        """Return the requested accounts."""
        if self.seller_id is not None:
            accounts = [account for account in accounts if account.seller.id == self.seller_id]
        if self.status is not None:
            accounts = [account for account in accounts if isinstance(account, STATUSES[self.status])]
        return accounts


class AccountsRoute(msgspec.Struct, frozen=True):
    """The route with its clients and settings."""

    identity: Identity
    upstream: Upstream
    link_states: LinkStates
    links: Callable[[], LinkStore]
    """Makes the store for the first link: a list without a link doesn't wait for its client."""
    redirects: settings.RedirectSettings

    def __call__(self, request: Request) -> Response:
        customer = self.identity.customer(request)
        query = Query.from_request(request, self.redirects)
        link = self.link_states.issue(customer, query.redirect_uri) if query.redirect_uri else None
        callback = self._callback(request, link) if link else None
        body = self.upstream.accounts(customer, callback, upstream_deadline(request.remaining_ms()))
        reshaped = reshape(body)
        if link:
            self._store(customer, link, reshaped)
        else:
            _remove_connect_urls(reshaped.accounts)
        _record_account_metrics(request, reshaped)
        if query.media_type == JSON:
            body = _encode(customer, query, link, reshaped)
        return represent(
            body,
            query.media_type,
            request.headers,
            cache_control=CACHE_NO_STORE if link else CACHE_PRIVATE,
            validate=link is None,
        )

    def _store(self, customer: str, link: IssuedLink, reshaped: Reshaped) -> None:
        """Store the link with the sellers connected now. A link that isn't stored works too: dates alone confirm it."""
        connected = (account.seller.id for account in reshaped.accounts if isinstance(account, shapes.Connected))
        digests = join_digests(seller_id for seller_id in connected if seller_id)
        try:
            self.links().issue(customer, link.id, link.issued_at, link.expires_at, digests)
        except Problem as problem:
            count("LinksNotStored")
            log(logging.WARNING, "link_not_stored", link_id=link.id, **exception_fields(problem))
        else:
            count("LinksIssued")

    def _callback(self, request: Request, link: IssuedLink) -> str:
        """Return the callback URL. Raises `DeploymentError` behind a base path, which needs `PUBLIC_BASE_URL`."""
        base_url = self.redirects.public_base_url
        if base_url is None:
            if request.path.find("/v1/") > 0:
                raise DeploymentError("public_base_url_missing")
            base_url = f"https://{request.domain_name}"
        return f"{base_url}/v1/link-callbacks/{link.state}"


def _remove_connect_urls(accounts: list[shapes.Account]) -> None:
    """Remove unrequested connect URLs, which are bearer secrets: a list without `redirectUri` may be cached."""
    for account in accounts:
        if isinstance(account, shapes.NotConnected):
            account.connect = None


def _record_account_metrics(request: Request, reshaped: Reshaped) -> None:
    """Count accounts by status, and unreadable items; add the totals to the log line."""
    models = list(map(type, reshaped.accounts))
    for model, metric in STATUS_METRICS.items():
        if number := models.count(model):
            count(metric, number)
    if reshaped.warnings:
        count("UnreadableItems", len(reshaped.warnings))
    request.log.update(accounts=len(reshaped.accounts), warnings=len(reshaped.warnings))


def _encode(customer: str, query: Query, link: IssuedLink | None, reshaped: Reshaped) -> bytes:
    body = msgspec.json.encode(
        shapes.Accounts(
            customer_identifier=customer,
            entitlement_filter=reshaped.entitlement_filter,
            link=shapes.Link(id=link.id, expires_at=link.expires_at) if link else None,
            accounts=query.select(reshaped.accounts),
            warnings=reshaped.warnings,
        )
    )
    if len(body) > MAX_RESPONSE_BYTES:
        raise invalid_upstream_response()
    return body


def get_health(_request: Request) -> Response:
    """Report that the function runs with valid settings. Calls nothing else, because anyone may call it at any rate."""
    return {"statusCode": 200, "headers": {"Content-Type": JSON, "Cache-Control": CACHE_NO_STORE}, "body": '{"status":"ok"}'}


def make_handler(environment: Mapping[str, str]) -> Handler:
    """Make the function's handler and its clients. Raises `SettingsError`."""
    upstream = settings.UpstreamSettings.from_environment(environment)
    state = settings.StateSettings.from_environment(environment)
    redirects = settings.RedirectSettings.from_environment(environment)
    records = settings.StoreSettings.from_environment(environment)
    identity = Identity(settings.IdentitySettings.from_environment(environment))
    secrets = secret.make_client()
    accounts = AccountsRoute(
        identity,
        Upstream(upstream, secret.Secret(secrets, upstream.api_key_secret)),
        LinkStates(state, secret.Secret(secrets, state.secret)),
        functools.cache(lambda: LinkStore(table.Table(records, table.make_client()))),
        redirects,
    )
    return build_handler({"GET /v1/customers/{customerIdentifier}/accounts": accounts, "GET /v1/health": get_health})
