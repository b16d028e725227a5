"""`GET /v1/customers/{customerIdentifier}/accounts` and `GET /v1/health`.

Asks imin how a customer stands with every seller and answers in the app's own shapes. With a `redirectUri` the answer also has
URLs where she can connect, and the link under which that will be recorded.
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
from seller_accounts.imin.tolerant_parser import unreadable
from seller_accounts.links.link_state import IssuedLink, LinkStates, join_digests
from seller_accounts.links.link_store import LinkStore
from seller_accounts.telemetry import count, exception_fields, log

CACHED = "private, max-age=0, stale-if-error=86400"
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
    """What the app asked for."""

    redirect_uri: str | None
    seller_id: str | None
    status: str | None
    media_type: str

    @classmethod
    def of(cls, request: Request, redirects: settings.RedirectSettings) -> Self:
        """Raises `Problem`: `invalid_request`, `redirect_uri_not_allowed`."""
        query = cls(
            request.query_value("redirectUri"),
            request.query_value("sellerId"),
            request.query_value("status"),
            media_type(request.headers),
        )
        if query.redirect_uri == "" or query.seller_id == "":
            raise Problem("invalid_request", "redirectUri and sellerId can be left out, but not be empty.")
        if query.status is not None and query.status not in STATUSES:
            raise Problem("invalid_request", f"status is one of {', '.join(STATUSES)}.")
        if query.media_type == JSON_LD and (query.seller_id or query.status):
            raise Problem("invalid_request", "JSON-LD is passed on as it comes: it can't be filtered by sellerId or status.")
        if query.redirect_uri and not redirects.allows(query.redirect_uri):
            raise Problem(
                "redirect_uri_not_allowed", "The redirectUri is not an allowed one. It is compared exactly, up to its query."
            )
        return query

    def select(self, accounts: list[shapes.Account]) -> list[shapes.Account]:
        """The accounts that were asked for."""
        if self.seller_id is not None:
            accounts = [account for account in accounts if account.seller.id == self.seller_id]
        if self.status is not None:
            accounts = [account for account in accounts if isinstance(account, STATUSES[self.status])]
        return accounts


class AccountsRoute(msgspec.Struct, frozen=True):
    """The route, and what it works with."""

    identity: Identity
    upstream: Upstream
    link_states: LinkStates
    links: Callable[[], LinkStore]
    """Makes the store when the first link is issued: a list without links doesn't wait for its client."""
    redirects: settings.RedirectSettings

    def __call__(self, request: Request) -> Response:
        customer = self.identity.customer(request)
        query = Query.of(request, self.redirects)
        link = self.link_states.issue(customer, query.redirect_uri) if query.redirect_uri else None
        callback = self._callback(request, link) if link else None
        body = self.upstream.accounts(customer, callback, upstream_deadline(request.remaining_ms()))
        answer = reshape(body)
        if link:
            self._store(customer, link, answer)
        else:
            _remove_connect_urls(answer.accounts)
        _tell(request, answer)
        if query.media_type == JSON:
            body = _encode(customer, query, link, answer)
        return represent(
            body,
            query.media_type,
            request.headers,
            cache_control=CACHE_NO_STORE if link else CACHED,
            validate=link is None,
        )

    def _store(self, customer: str, link: IssuedLink, answer: Reshaped) -> None:
        """Store the link with who is connected now. A link that can't be stored works all the same: dates alone confirm it."""
        connected = (account.seller.id for account in answer.accounts if isinstance(account, shapes.Connected))
        digests = join_digests(seller_id for seller_id in connected if seller_id)
        try:
            self.links().issue(customer, link.id, link.issued_at, link.expires_at, digests)
        except Problem as problem:
            count("LinksNotStored")
            log(logging.WARNING, "link_not_stored", link_id=link.id, **exception_fields(problem))
        else:
            count("LinksIssued")

    def _callback(self, request: Request, link: IssuedLink) -> str:
        """Return the callback's URL. Raises `DeploymentError` where only `PUBLIC_BASE_URL` can tell it: behind a base path."""
        base_url = self.redirects.public_base_url
        if base_url is None:
            if request.path.find("/v1/") > 0:
                raise DeploymentError("public_base_url_missing")
            base_url = f"https://{request.domain_name}"
        return f"{base_url}/v1/link-callbacks/{link.state}"


def _remove_connect_urls(accounts: list[shapes.Account]) -> None:
    """Remove bearer secrets that imin sent without being asked: a list without `redirectUri` may be cached."""
    for account in accounts:
        if isinstance(account, shapes.NotConnected):
            account.connect = None


def _tell(request: Request, answer: Reshaped) -> None:
    """Counts and logs how the accounts stand."""
    kinds = list(map(type, answer.accounts))
    for kind, metric in STATUS_METRICS.items():
        if number := kinds.count(kind):
            count(metric, number)
    if answer.warnings:
        count("UnreadableItems", len(answer.warnings))
    request.log.update(accounts=len(answer.accounts), warnings=len(answer.warnings))


def _encode(customer: str, query: Query, link: IssuedLink | None, answer: Reshaped) -> bytes:
    body = msgspec.json.encode(
        shapes.Accounts(
            customer_identifier=customer,
            entitlement_filter=answer.entitlement_filter,
            link=shapes.Link(id=link.id, expires_at=link.expires_at) if link else None,
            accounts=query.select(answer.accounts),
            warnings=answer.warnings,
        )
    )
    if len(body) > MAX_RESPONSE_BYTES:
        raise unreadable()
    return body


def get_health(_request: Request) -> Response:
    """Says that the function runs and its settings are good. It asks nobody else: anyone may call it, as often as they like."""
    return {"statusCode": 200, "headers": {"Content-Type": JSON, "Cache-Control": CACHE_NO_STORE}, "body": '{"status":"ok"}'}


def make_handler(environment: Mapping[str, str]) -> Handler:
    """The function's handler, with its clients. Raises `SettingsError`."""
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
