"""`GET /v1/link-callbacks/{state}`: imin redirects the customer's browser here, and it is redirected to the app.

Only the signed state is trusted. The callback is stored first; then imin is called to find out what was connected; then the browser
is redirected to the app, even if imin fails.
"""

from collections.abc import Mapping
from urllib.parse import unquote_plus

import msgspec

from seller_accounts import settings
from seller_accounts.aws import secret, table
from seller_accounts.http.http_api import Handler, Request, Response, build_handler
from seller_accounts.http.pages import page
from seller_accounts.http.problems import Problem
from seller_accounts.imin.imin_client import Upstream, upstream_deadline
from seller_accounts.links import confirmation
from seller_accounts.links.link_state import ExpiredStateError, InvalidStateError, LinkStates
from seller_accounts.links.link_store import LinkStore
from seller_accounts.telemetry import count

CALLBACK_UPSTREAM_SECONDS = 2.5  # a customer is waiting


class LinkCallbackRoute(msgspec.Struct, frozen=True):
    """The route with its clients."""

    link_states: LinkStates
    store: LinkStore
    upstream: Upstream

    def __call__(self, request: Request) -> Response:
        if _is_speculative(request):
            return {"statusCode": 204, "headers": {"Cache-Control": "no-store"}}
        try:
            state, issued_at = self.link_states.read(request.path_parameters.get("state", ""))
        except InvalidStateError:
            count("CallbacksInvalid")
            return page(
                400, "This link doesn't work", "It may be incomplete or changed. Please go back to the app and start again."
            )
        except ExpiredStateError as error:
            count("CallbacksExpired")
            back = _with_query_parameters(error.state.redirect_uri, linkId=error.state.link_id, status="expired")
            text = "Please go back to the app and start again. Accounts that you have connected stay connected."
            return page(410, "This link has expired", text, link=(back, "Back to the app"))
        request.log.update(link_id=state.link_id, customer_identifier=state.customer_identifier)
        customer = state.customer_identifier
        expires_at = self.link_states.expires_at(issued_at)
        link = self.store.record_callback(customer, state.link_id, issued_at, expires_at, request.raw_query, state.connected)
        deadline = upstream_deadline(request.remaining_ms(), CALLBACK_UPSTREAM_SECONDS)
        link = confirmation.settle(self.upstream, self.store, customer, link, deadline)
        request.log["link_status"] = link.status
        return _redirect_to_app(_with_query_parameters(state.redirect_uri, linkId=link.id, status=link.status))


def _is_speculative(request: Request) -> bool:
    """Whether a browser only prefetches the page. Source: the Fetch standard (`Sec-Purpose`); older header names."""
    return any("prefetch" in request.headers.get(name, "").lower() for name in ("sec-purpose", "purpose", "x-moz"))


def _with_query_parameters(redirect_uri: str, **parameters: str) -> str:
    """Set query parameters of `redirect_uri`, replacing those of the same name. The app's other parameters stay as they are."""
    base, _, query = redirect_uri.partition("?")
    pairs = query.split("&") if query else []
    pairs = [pair for pair in pairs if unquote_plus(pair.partition("=")[0]) not in parameters]
    pairs += [f"{name}={value}" for name, value in parameters.items()]
    return f"{base}?{'&'.join(pairs)}"


def _redirect_to_app(url: str) -> Response:
    text = "If the app doesn't open, use this button."
    return page(303, "Back to the app", text, link=(url, "Open the app"), headers={"Location": url})


def render_problem_page(problem: Problem, _request_id: str, request: Request | None) -> Response:
    """Render a problem as a page. The same URL can be opened again."""
    if problem.code == "storage_unavailable":
        count("CallbacksNotStored")
    if problem.status < 500 or request is None:
        return page(problem.status, "This link doesn't work", "Please go back to the app and start again.", headers=problem.headers)
    again = f"{request.path}?{request.raw_query}" if request.raw_query else request.path
    text = "Accounts that you have connected aren't lost. Please wait a moment and try again."
    return page(problem.status, "We can't finish this right now", text, link=(again, "Try again"), headers=problem.headers)


def make_handler(environment: Mapping[str, str]) -> Handler:
    """Make the function's handler and its clients. Raises `SettingsError`."""
    upstream = settings.UpstreamSettings.from_environment(environment)
    state = settings.StateSettings.from_environment(environment)
    records = settings.StoreSettings.from_environment(environment)
    secrets = secret.make_client()
    route = LinkCallbackRoute(
        LinkStates(state, secret.Secret(secrets, state.secret)),
        LinkStore(table.Table(records, table.make_client())),
        Upstream(upstream, secret.Secret(secrets, upstream.api_key_secret)),
    )
    return build_handler({"GET /v1/link-callbacks/{state}": route}, render_problem_page)
